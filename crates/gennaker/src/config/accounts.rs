//! The accounts in the configuration: `[local]`, this machine, and `[[account]]`, further ones.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use cloud::local::{Limits, Named};
use serde::{Deserialize, Serialize};

use super::Config;

/// This machine as an account.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocalAccount {
    /// The address on which load balancers listen.
    pub listen: IpAddr,
    /// Seconds that an instance may finish what it has before it ends.
    pub drain_seconds: u32,
    /// What the environment is called, as `prod`.
    pub environment: String,
    /// The zones, over which instances are spread.
    pub zones: Vec<String>,
    /// `[[local.instance_type]]`: what instances may take; server groups name them as `instanceType`.
    pub instance_type: Vec<InstanceType>,
    /// `[[local.certificate]]`: what listeners may show.
    pub certificate: Vec<NamedCertificate>,
}

impl Default for LocalAccount {
    fn default() -> Self {
        let Named { listen, environment, zones, .. } = Named::local();
        Self { listen, drain_seconds: 30, environment, zones, instance_type: Vec::new(), certificate: Vec::new() }
    }
}

impl LocalAccount {
    /// What instances of each type may take.
    pub fn instance_types(&self) -> anyhow::Result<BTreeMap<String, Limits>> {
        let mut types = BTreeMap::new();
        for one in &self.instance_type {
            let limits = one.limits().with_context(|| format!("[[local.instance_type]] {}", one.name))?;
            if one.name.trim().is_empty() || types.insert(one.name.clone(), limits).is_some() {
                bail!("[[local.instance_type]] \"{}\": give each a name of its own", one.name);
            }
        }
        Ok(types)
    }

    /// As the cloud knows it.
    fn named(&self) -> Named {
        Named {
            zones: self.zones.clone(),
            listen: self.listen,
            environment: self.environment.clone(),
            ..Named::local()
        }
    }
}

/// A further account: so far one more of this machine, with clusters, load balancers and firewalls of its own.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MoreAccount {
    /// Its name, as `prod`: what pipelines give as `credentials`.
    pub name: String,
    /// Its cloud.
    #[serde(default)]
    pub provider: CloudName,
    /// Its region; `local` without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Its zones; without any, the region's name with `-a` and with `-b`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// What its environment is called; the account's name without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The address on which its load balancers listen; that of `[local]` without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<IpAddr>,
}

/// Clouds that an account may be of.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum CloudName {
    /// This machine
    #[default]
    Local,
}

impl MoreAccount {
    fn named(&self, machine: &LocalAccount) -> Named {
        let own = Named::local();
        let region = self.region.clone().unwrap_or(own.region);
        let usual = || ["a", "b"].map(|zone| format!("{region}-{zone}")).to_vec();
        Named {
            zones: if self.zones.is_empty() { usual() } else { self.zones.clone() },
            environment: self.environment.clone().unwrap_or_else(|| self.name.clone()),
            listen: self.listen.unwrap_or(machine.listen),
            name: self.name.clone(),
            region,
        }
    }
}

impl Config {
    /// The accounts of this machine, `local` first; each with a name of its own, and names that can be told from others.
    pub fn accounts(&self) -> anyhow::Result<Vec<Named>> {
        let local = self.local.named();
        local.check().context("[local]")?;
        let mut accounts = vec![local];
        for more in &self.account {
            let named = more.named(&self.local);
            let place = || format!("[[account]] {}", more.name);
            named.check().with_context(place)?;
            if accounts.iter().any(|known| known.name == named.name) {
                return Err(anyhow!("there is one of this name already")).with_context(place);
            }
            accounts.push(named);
        }
        Ok(accounts)
    }
}

/// What an instance of this type may take; what is not said is not bounded.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceType {
    /// Its name, as `small`.
    pub name: String,
    /// Memory in MiB; an instance that takes more is ended, and begins anew.
    pub memory_mib: Option<u64>,
    /// CPUs, also a part of one.
    pub cpus: Option<f64>,
    /// Processes and threads.
    pub processes: Option<u64>,
    /// Open files.
    pub open_files: Option<u64>,
}

impl InstanceType {
    fn limits(&self) -> anyhow::Result<Limits> {
        let memory_bytes = match self.memory_mib {
            Some(mib) if (1..1 << 40).contains(&mib) => Some(mib << 20),
            Some(_) => bail!("memory_mib: 1 or more"),
            None => None,
        };
        let cpu_milli = match self.cpus {
            Some(cpus) if (0.01..=4096.0).contains(&cpus) => Some((cpus * 1000.0).round() as u32),
            Some(_) => bail!("cpus: from 0.01 on"),
            None => None,
        };
        if self.processes == Some(0) || self.open_files == Some(0) {
            bail!("processes and open_files: 1 or more");
        }
        Ok(Limits { memory_bytes, cpu_milli, processes: self.processes, open_files: self.open_files, log_bytes: None })
    }
}

/// A certificate and the name by which load balancers ask for it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NamedCertificate {
    /// Its name.
    pub name: String,
    /// The chain, PEM, the server's own first. It is read again when it changes.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(text: &str) -> Result<Vec<Named>, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
        config.accounts().map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_further_account_says_only_what_is_its_own() {
        let given = "[local]\nlisten = \"10.0.0.7\"\n[[account]]\nname = \"prod\"\n\
                     [[account]]\nname = \"test\"\nregion = \"eu\"\nenvironment = \"qa\"\nlisten = \"127.0.0.1\"\n";
        let found = accounts(given).expect("good");
        let told: Vec<String> = found
            .iter()
            .map(|a| format!("{} {} {} {} {}", a.name, a.region, a.zones.join("+"), a.environment, a.listen))
            .collect();
        assert_eq!(
            told,
            [
                "local local local-a+local-b local 10.0.0.7",
                "prod local local-a+local-b prod 10.0.0.7",
                "test eu eu-a+eu-b qa 127.0.0.1"
            ]
        );
    }

    #[test]
    fn an_account_that_cannot_be_is_named() {
        let refused = |text: &str| accounts(text).expect_err("refused");
        let twice = "[[account]]\nname = \"prod\"\n[[account]]\nname = \"prod\"\n";
        assert_eq!(refused(twice), "[[account]] prod: there is one of this name already");
        assert_eq!(refused("[[account]]\nname = \"local\"\n"), "[[account]] local: there is one of this name already");
        assert_eq!(
            refused("[[account]]\nname = \"a.b\"\n"),
            "[[account]] a.b: account \"a.b\" is no name of letters, digits, - and _, a letter or digit first, at most 32"
        );
        assert!(refused("[[account]]\nname = \"preview\"\n").contains("kept for preview addresses"));
        assert_eq!(refused("[local]\nzones = []\n"), "[local]: zones: name at least one, and each once");
        let unknown = refused("[[account]]\nname = \"x\"\nprovider = \"gce\"\n");
        assert!(unknown.contains("unknown variant `gce`, expected `local`"), "{unknown}");
    }
}
