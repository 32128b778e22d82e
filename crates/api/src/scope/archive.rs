//! What of an archive belongs to a publication or a repository, and who may reach it with a token for that one alone: apt, which reads the files of a
//! publication that is not everybody's, and a build, which uploads and has its uploads added. Pure.

use axum::http::Method;

use super::Params;

/// What tells nothing of anybody.
const NOBODYS: [&str; 3] = ["/", "/health", "/version"];

/// Whether somebody reads the files of this publication, `[storage:]prefix`; without a prefix (`.`) those of the storage's own.
pub(super) fn reads(publication: &str, method: &Method, route: &str, params: &Params) -> bool {
    if !method.is_safe() {
        return false;
    }
    if NOBODYS.contains(&route) {
        return true;
    }
    let (Some(place), Some(path)) = (params.get("place"), params.get("path")) else { return false };
    // aptly writes `filesystem:NAME:prefix`, and NAME is what stands in the address.
    let publication = publication.strip_prefix("filesystem:").unwrap_or(publication);
    let (storage, prefix) = publication.split_once(':').unwrap_or(("", publication));
    let place = if place == "-" { "" } else { place };
    let plain = path.split('/').all(|part| part != "." && part != "..");
    let within = match prefix.trim_matches('/') {
        "" | "." => path.starts_with("dists/") || path.starts_with("pool/"),
        prefix => {
            path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("/dists/") || rest.starts_with("/pool/"))
        }
    };
    route == "/repos/{place}/{*path}" && place == storage && plain && within
}

/// Whether somebody uploads for this repository, or looks at it. The folders of its uploads are called as it is, perhaps with `-` and more.
pub(super) fn uploads(repository: &str, method: &Method, route: &str, params: &Params) -> bool {
    let named = params.get("name") == Some(repository);
    let folder = || {
        let rest = params.get("dir").and_then(|dir| dir.strip_prefix(repository));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    match route {
        "/api/files/{dir}" | "/api/files/{dir}/{file}" => folder(),
        "/api/repos/{name}/file/{dir}" | "/api/repos/{name}/file/{dir}/{file}" => named && folder(),
        "/api/repos/{name}" | "/api/repos/{name}/packages" => named && method.is_safe(),
        route => method.is_safe() && NOBODYS.contains(&route),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apt_reads_its_publication_and_no_other() {
        let read = |publication: &str, place: &str, path: &str| {
            reads(publication, &Method::GET, "/repos/{place}/{*path}", &Params::of(&[("place", place), ("path", path)]))
        };
        for (publication, place, path, expected) in [
            ("team/a", "-", "team/a/dists/stable/InRelease", true),
            ("team/a", "-", "team/a/pool/main/h/hello.deb", true),
            ("team/a", "-", "team/ab/dists/stable/InRelease", false),
            ("team/a", "-", "team/a/../b/dists/stable/InRelease", false),
            ("team/a", "-", "dists/stable/InRelease", false),
            ("team/a", "disk", "team/a/dists/stable/InRelease", false),
            ("filesystem:disk:team/a", "disk", "team/a/dists/stable/InRelease", true),
            ("disk:team/a", "disk", "team/a/dists/stable/InRelease", true),
            (".", "-", "dists/stable/InRelease", true),
            (".", "-", "pool/main/h/hello.deb", true),
            (".", "-", "team/a/dists/stable/InRelease", false),
        ] {
            assert_eq!(read(publication, place, path), expected, "{publication} {place} {path}");
        }
        let params = Params::of(&[("place", "-"), ("path", "dists/x")]);
        assert!(!reads(".", &Method::POST, "/repos/{place}/{*path}", &params));
        assert!(!reads(".", &Method::GET, "/api/repos", &Params::of(&[])));
    }

    #[test]
    fn a_build_uploads_to_its_repository_and_no_other() {
        let may = |method: Method, route: &str, name: &str, dir: &str| {
            uploads("shop", &method, route, &Params::of(&[("name", name), ("dir", dir), ("file", "a.deb")]))
        };
        assert!(may(Method::PUT, "/api/files/{dir}/{file}", "", "shop"));
        assert!(may(Method::POST, "/api/files/{dir}", "", "shop-42"));
        assert!(!may(Method::PUT, "/api/files/{dir}/{file}", "", "shopping"));
        assert!(may(Method::POST, "/api/repos/{name}/file/{dir}", "shop", "shop-42"));
        assert!(!may(Method::POST, "/api/repos/{name}/file/{dir}", "blog", "shop-42"));
        assert!(!may(Method::POST, "/api/repos/{name}/file/{dir}", "shop", "blog"));
        assert!(may(Method::GET, "/api/repos/{name}/packages", "shop", ""));
        assert!(!may(Method::DELETE, "/api/repos/{name}", "shop", ""));
        assert!(
            !may(Method::POST, "/api/repos/{name}/include/{dir}", "shop", "shop"),
            "an upload says itself where it goes"
        );
        assert!(!may(Method::POST, "/ui-api/apt", "shop", "shop"));
    }
}
