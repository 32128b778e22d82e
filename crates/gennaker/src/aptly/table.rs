//! aptly's command line as a table: from it come parsing, help, completion and the documentation.

use super::command::{ANY, Command, Flag, Kind, list, text, yes};
use super::{api, db, graph, key, mirror, misc, package, publish, repo, serve, snapshot, task};

/// Flags of every command.
pub const GLOBAL: &[Flag] = &[
    text("config", "", "configuration file (default: ~/.aptly.conf, /usr/local/etc/aptly.conf, /etc/aptly.conf)"),
    Flag {
        name: "db-open-attempts",
        kind: Kind::Int,
        default: "10",
        help: "accepted for compatibility; opening never has to wait for another process",
    },
    text("architectures", "", "architectures to consider, comma-separated (default: all available)"),
    yes("dep-follow-suggests", "follow Suggests when processing dependencies"),
    yes("dep-follow-recommends", "follow Recommends when processing dependencies"),
    yes("dep-follow-source", "follow from binary to source packages"),
    yes("dep-follow-all-variants", "follow a and b when a dependency is 'a|b'"),
    yes("dep-verbose-resolve", "say in detail how dependencies are resolved"),
    text("gpg-provider", "", "OpenPGP implementation: gpg, gpg1, gpg2 or internal"),
];

const RAW_JSON: &[Flag] = &[yes("raw", "machine-readable: names only"), yes("json", "as JSON")];
const JSON: &[Flag] = &[yes("json", "as JSON")];
const SHOW: &[Flag] = &[yes("json", "as JSON"), yes("with-packages", "with the list of packages")];
const SEARCH: &[Flag] = &[
    yes("with-deps", "with the dependencies of what is found"),
    text("format", "", "how each package is printed, as a template"),
];
const FORMAT: &[Flag] = &[text("format", "", "how each package is printed, as a template")];
const DRY_DEPS: &[Flag] =
    &[yes("dry-run", "say what would be done and change nothing"), yes("with-deps", "with dependencies")];
const DRY: &[Flag] = &[yes("dry-run", "say what would be done and change nothing")];
const MIRRORED: &[Flag] = &[
    text("filter", "", "only packages that this query means"),
    yes("filter-with-deps", "and their dependencies"),
    yes("with-sources", "source packages too"),
    yes("with-udebs", "packages of the installer too"),
    yes("with-installer", "the installer's images too"),
    yes("with-appstream", "AppStream's files too"),
];
const TRUST: &[Flag] = &[
    yes("ignore-signatures", "do not check signatures"),
    list("keyring", "keyring to check signatures with"),
    text("max-tries", "1", "how often each file is tried"),
];
const FORCE: &[Flag] = &[yes("force", "even when it is used elsewhere")];
const REPO_EDIT: &[Flag] = &[
    text("comment", "", "what people should know about it"),
    text("distribution", "", "distribution when publishing"),
    text("uploaders-file", "", "who may upload what"),
];
const COMPONENT_MAIN: &[Flag] = &[text("component", "main", "component when publishing")];
const COMPONENT: &[Flag] = &[text("component", "", "component name; several with commas")];
const REPO_ADD: &[Flag] =
    &[yes("remove-files", "remove files that were added"), yes("force-replace", "remove packages in the way")];
const INCLUDE: &[Flag] = &[
    yes("force-replace", "remove packages in the way"),
    yes("no-remove-files", "leave files where they are"),
    yes("accept-unsigned", "accept uploads without a signature"),
    yes("ignore-signatures", "do not check signatures"),
    text("repo", "{{.Distribution}}", "repository, as a template over the fields of the .changes"),
    text("uploaders-file", "", "who may upload what"),
    list("keyring", "keyring to check signatures with"),
];
const SIGNING: &[Flag] = &[
    list("gpg-key", "key to sign with"),
    list("keyring", "keyring with public keys"),
    text("secret-keyring", "", "file with secret keys, for -gpg-provider=internal"),
    text("passphrase", "", "passphrase of the key (others on this machine can see it)"),
    text("passphrase-file", "", "file with the passphrase"),
    yes("batch", "never ask"),
    yes("skip-signing", "publish without a signature"),
];
const PUBLISH: &[Flag] = &[
    text("distribution", "", "distribution name"),
    text("component", "", "component name; several with commas"),
    text("origin", "", "Origin"),
    text("notautomatic", "", "NotAutomatic"),
    text("butautomaticupgrades", "", "ButAutomaticUpgrades"),
    text("label", "", "Label"),
    text("suite", "", "Suite (default: the distribution)"),
    text("codename", "", "Codename (default: the distribution)"),
];
const UPDATE_TEXTS: &[Flag] = &[text("origin", "", "Origin"), text("label", "", "Label")];
const RENDER: &[Flag] = &[
    yes("skip-contents", "no Contents indexes"),
    yes("skip-bz2", "no bzip2 indexes"),
    yes("acquire-by-hash", "say that indexes can be fetched by hash"),
    text("signed-by", "", "Signed-By"),
    text("version", "", "Version"),
    yes("multi-dist", "a pool for each distribution"),
    yes("force-overwrite", "replace package files in the way"),
];
const SKIP_CLEANUP: &[Flag] = &[yes("skip-cleanup", "leave package files that nothing shows any more")];
const PREFIX: &[Flag] = &[text("prefix", ".", "publishing prefix, [<storage>:]<prefix>")];

macro_rules! command {
    ($path:expr, $takes:expr, $flags:expr, $least:expr, $most:expr, $run:expr, $help:expr) => {
        Command {
            path: $path,
            takes: $takes,
            flags: $flags,
            least: $least,
            most: $most,
            keeps_words: false,
            run: $run,
            help: $help,
        }
    };
}

/// All commands, in the order of help.
pub const COMMANDS: &[Command] = &[
    command!(
        &["repo", "create"],
        "<name> [from snapshot <snapshot>]",
        &[REPO_EDIT, COMPONENT_MAIN],
        1,
        4,
        repo::create,
        "create a local repository"
    ),
    command!(&["repo", "list"], "", &[RAW_JSON], 0, 0, repo::list, "list local repositories"),
    command!(&["repo", "show"], "<name>", &[SHOW], 1, 1, repo::show, "show a local repository"),
    command!(
        &["repo", "add"],
        "<name> (<package file>|<folder>)...",
        &[REPO_ADD],
        2,
        ANY,
        repo::add,
        "add packages to a local repository"
    ),
    command!(
        &["repo", "include"],
        "(<file.changes>|<folder>)...",
        &[INCLUDE],
        1,
        ANY,
        repo::include,
        "add uploads (.changes) to local repositories"
    ),
    command!(
        &["repo", "remove"],
        "<name> <query>...",
        &[DRY],
        2,
        ANY,
        repo::remove,
        "remove packages from a local repository"
    ),
    command!(
        &["repo", "copy"],
        "<source> <destination> <query>...",
        &[DRY_DEPS],
        3,
        ANY,
        repo::copy,
        "copy packages between local repositories"
    ),
    command!(
        &["repo", "move"],
        "<source> <destination> <query>...",
        &[DRY_DEPS],
        3,
        ANY,
        repo::move_,
        "move packages between local repositories"
    ),
    command!(
        &["repo", "edit"],
        "<name>",
        &[REPO_EDIT, COMPONENT],
        1,
        1,
        repo::edit,
        "change what is said about a local repository"
    ),
    command!(&["repo", "rename"], "<old name> <new name>", &[], 2, 2, repo::rename, "rename a local repository"),
    command!(&["repo", "drop"], "<name>", &[FORCE], 1, 1, repo::drop, "remove a local repository"),
    command!(
        &["repo", "search"],
        "<name> [<query>]",
        &[SEARCH],
        1,
        2,
        repo::search,
        "find packages in a local repository"
    ),
    command!(
        &["repo", "prune"],
        "<name> [<query>...]",
        &[&[
            text("keep", "1", "how many versions of each name and architecture stay, the highest"),
            yes("dry-run", "only say what would be removed"),
        ]],
        1,
        ANY,
        repo::prune,
        "remove old versions"
    ),
    command!(
        &["repo", "import"],
        "<mirror> <destination> <query>...",
        &[DRY_DEPS],
        3,
        ANY,
        mirror::import,
        "copy packages from a mirror"
    ),
    command!(&["mirror", "list"], "", &[RAW_JSON], 0, 0, mirror::list, "list mirrors"),
    command!(&["mirror", "show"], "<name>", &[SHOW], 1, 1, mirror::show, "show a mirror"),
    command!(&["mirror", "search"], "<name> [<query>]", &[SEARCH], 1, 2, mirror::search, "find packages in a mirror"),
    command!(
        &["mirror", "create"],
        "<name> (<url> <distribution> [<component>...] | ppa:<user>/<project>)",
        &[
            MIRRORED,
            TRUST,
            &[
                yes("force-components", "name components that the Release does not name"),
                yes("force-architectures", "name architectures that the Release does not name"),
            ],
        ],
        2,
        ANY,
        mirror::create,
        "create a mirror"
    ),
    command!(
        &["mirror", "update"],
        "<name>",
        &[
            TRUST,
            &[
                yes("force", "even while another process says that it updates it, and by an older Release"),
                yes("ignore-checksums", "take files whatever their sums are"),
                yes("skip-existing-packages", "taken for old scripts: what is there is never downloaded again"),
                yes("latest", "of each package only the highest version"),
                text("download-limit", "0", "KiB a second; 0 for as many as there are"),
                text("downloader", "default", "taken for old scripts: there is one"),
            ],
        ],
        1,
        1,
        mirror::update,
        "download what is new"
    ),
    command!(
        &["mirror", "edit"],
        "<name>",
        &[MIRRORED, TRUST, &[text("archive-url", "", "where it comes from")]],
        1,
        1,
        mirror::edit,
        "change a mirror"
    ),
    command!(&["mirror", "rename"], "<old name> <new name>", &[], 2, 2, mirror::rename, "rename a mirror"),
    command!(&["mirror", "drop"], "<name>", &[FORCE], 1, 1, mirror::drop, "remove a mirror"),
    command!(
        &["snapshot", "create"],
        "<name> (from mirror <mirror>|from repo <repo>|empty)",
        &[],
        2,
        4,
        snapshot::create,
        "create a snapshot"
    ),
    command!(
        &["snapshot", "list"],
        "",
        &[RAW_JSON, &[text("sort", "name", "by name or time")]],
        0,
        0,
        snapshot::list,
        "list snapshots"
    ),
    command!(&["snapshot", "show"], "<name>", &[SHOW], 1, 1, snapshot::show, "show a snapshot"),
    command!(
        &["snapshot", "verify"],
        "<name> [<source>...]",
        &[],
        1,
        ANY,
        snapshot::verify,
        "check the dependencies in a snapshot"
    ),
    command!(
        &["snapshot", "pull"],
        "<name> <source> <destination> <query>...",
        &[&[
            yes("dry-run", "change nothing"),
            yes("no-deps", "without dependencies"),
            yes("no-remove", "leave other versions"),
            yes("all-matches", "all versions, not the latest")
        ]],
        4,
        ANY,
        snapshot::pull,
        "pull packages from one snapshot into another"
    ),
    command!(
        &["snapshot", "diff"],
        "<a> <b>",
        &[&[yes("only-matching", "only packages that both have")]],
        2,
        2,
        snapshot::diff,
        "compare two snapshots"
    ),
    command!(
        &["snapshot", "merge"],
        "<destination> <source>...",
        &[&[yes("latest", "the latest version of each package"), yes("no-remove", "all versions")]],
        2,
        ANY,
        snapshot::merge,
        "merge snapshots into a new one"
    ),
    command!(
        &["snapshot", "filter"],
        "<source> <destination> <query>...",
        &[&[yes("with-deps", "with dependencies")]],
        3,
        ANY,
        snapshot::filter,
        "make a snapshot of some packages of another"
    ),
    command!(
        &["snapshot", "search"],
        "<name> [<query>]",
        &[SEARCH],
        1,
        2,
        snapshot::search,
        "find packages in a snapshot"
    ),
    command!(&["snapshot", "rename"], "<old name> <new name>", &[], 2, 2, snapshot::rename, "rename a snapshot"),
    command!(&["snapshot", "drop"], "<name>", &[FORCE], 1, 1, snapshot::drop, "remove a snapshot"),
    command!(
        &["publish", "repo"],
        "<name>... [[<storage>:]<prefix>]",
        &[PUBLISH, RENDER, SIGNING],
        1,
        ANY,
        publish::repo,
        "publish local repositories"
    ),
    command!(
        &["publish", "snapshot"],
        "<name>... [[<storage>:]<prefix>]",
        &[PUBLISH, RENDER, SIGNING],
        1,
        ANY,
        publish::snapshot,
        "publish snapshots"
    ),
    command!(
        &["publish", "update"],
        "<distribution> [[<storage>:]<prefix>]",
        &[UPDATE_TEXTS, RENDER, SIGNING, SKIP_CLEANUP],
        1,
        2,
        publish::update,
        "publish what the sources hold now"
    ),
    command!(
        &["publish", "switch"],
        "<distribution> [[<storage>:]<prefix>] <snapshot>...",
        &[COMPONENT, RENDER, SIGNING, SKIP_CLEANUP],
        2,
        ANY,
        publish::switch,
        "publish other snapshots in the same place"
    ),
    command!(
        &["publish", "drop"],
        "<distribution> [[<storage>:]<prefix>]",
        &[SKIP_CLEANUP, &[yes("force-drop", "even when cleaning up fails")]],
        1,
        2,
        publish::drop,
        "take a publication away"
    ),
    command!(&["publish", "list"], "", &[RAW_JSON], 0, 0, publish::list, "list publications"),
    command!(
        &["publish", "show"],
        "<distribution> [[<storage>:]<prefix>]",
        &[JSON],
        1,
        2,
        publish::show,
        "show a publication"
    ),
    command!(
        &["publish", "history"],
        "<distribution> [[<storage>:]<prefix>]",
        &[JSON],
        1,
        2,
        publish::past::history,
        "show what a publication showed before"
    ),
    command!(
        &["publish", "rollback"],
        "<distribution> [[<storage>:]<prefix>]",
        &[SIGNING, SKIP_CLEANUP, &[text("to", "", "generation of the history [the one before]")]],
        1,
        2,
        publish::past::rollback,
        "show again what a publication showed before"
    ),
    command!(
        &["publish", "source", "add"],
        "<distribution> <source>...",
        &[PREFIX, COMPONENT],
        2,
        ANY,
        publish::sources::add,
        "add sources with the next update"
    ),
    command!(
        &["publish", "source", "update"],
        "<distribution> <source>...",
        &[PREFIX, COMPONENT],
        2,
        ANY,
        publish::sources::update,
        "change sources with the next update"
    ),
    command!(
        &["publish", "source", "replace"],
        "<distribution> <source>...",
        &[PREFIX, COMPONENT],
        2,
        ANY,
        publish::sources::replace,
        "replace all sources with the next update"
    ),
    command!(
        &["publish", "source", "remove"],
        "<distribution>",
        &[PREFIX, COMPONENT],
        1,
        1,
        publish::sources::remove,
        "remove sources with the next update"
    ),
    command!(
        &["publish", "source", "list"],
        "<distribution>",
        &[PREFIX, JSON],
        1,
        1,
        publish::sources::list,
        "list source changes that wait"
    ),
    command!(
        &["publish", "source", "drop"],
        "<distribution>",
        &[PREFIX],
        1,
        1,
        publish::sources::drop,
        "forget source changes that wait"
    ),
    command!(
        &["package", "search"],
        "[<query>]",
        &[FORMAT],
        0,
        1,
        package::search,
        "find packages in the whole database"
    ),
    command!(
        &["package", "show"],
        "<query>",
        &[&[yes("with-files", "with the files in the pool"), yes("with-references", "with what refers to it")]],
        1,
        1,
        package::show,
        "show packages"
    ),
    command!(
        &["db", "cleanup"],
        "",
        &[&[yes("verbose", "name what is removed"), yes("dry-run", "change nothing")]],
        0,
        0,
        db::cleanup,
        "remove packages and files that nothing refers to"
    ),
    command!(&["db", "recover"], "", &[], 0, 0, db::recover, "check the database"),
    Command {
        path: &["task", "run"],
        takes: "(-filename=<file>|<command>, <command>, ...)",
        flags: &[&[text("filename", "", "file with a command a line")]],
        least: 0,
        most: ANY,
        keeps_words: true,
        help: "run several commands",
        run: task::run,
    },
    command!(
        &["graph"],
        "",
        &[&[
            text("format", "png", "of the picture"),
            text("output", "", "file to write"),
            text("layout", "horizontal", "horizontal or vertical")
        ]],
        0,
        0,
        graph::run,
        "draw how repositories, snapshots and publications depend on each other"
    ),
    command!(
        &["config", "show"],
        "",
        &[&[yes("yaml", "as YAML")]],
        0,
        0,
        misc::config_show,
        "show the configuration in force"
    ),
    command!(
        &["key", "generate"],
        "<user id>",
        &[&[
            text("name", "repository", "name of the two files in the root's folder keys"),
            text("type", "ed25519", "ed25519, or rsa4096 for clients older than Debian 9"),
        ]],
        1,
        1,
        key::generate,
        "make a key to sign with, for -gpg-provider=internal"
    ),
    command!(
        &["key", "lint"],
        "[<file>...]",
        &[&[yes("json", "as JSON")]],
        0,
        ANY,
        key::lint,
        "name keys and signatures that apt refuses now, or will from an announced date on"
    ),
    command!(
        &["serve"],
        "",
        &[&[text("listen", ":8080", "host:port to listen on")]],
        0,
        0,
        serve::run,
        "serve the published repositories over HTTP"
    ),
    command!(
        &["api", "serve"],
        "",
        &[&[
            text("listen", ":8080", "host:port to listen on, or unix:///path of a socket"),
            yes("no-lock", "taken for old scripts: nobody waits for a lock here"),
        ]],
        0,
        0,
        api::serve,
        "serve the API over HTTP"
    ),
    command!(&["version"], "", &[], 0, 0, misc::version, "print the version"),
];
