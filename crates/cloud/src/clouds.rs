//! The accounts that this server knows, by name.

use std::sync::Arc;

use crate::inventory::{Account, Inventory, ServerGroup};
use crate::names::ClusterName;
use crate::provider::{CloudError, Provider, Query};

/// All configured accounts, in the order of the configuration.
#[derive(Clone, Default)]
pub struct Clouds {
    accounts: Vec<(String, Arc<dyn Provider>)>,
}

impl Clouds {
    /// Takes the providers; their names must differ.
    pub fn new(providers: Vec<Arc<dyn Provider>>) -> Result<Self, CloudError> {
        let mut clouds = Self::default();
        for provider in providers {
            let name = provider.describe().name;
            if clouds.accounts.iter().any(|(known, _)| *known == name) {
                return Err(CloudError::Refused(format!("account \"{name}\" is configured twice")));
            }
            clouds.accounts.push((name, provider));
        }
        Ok(clouds)
    }

    /// The provider of an account.
    pub fn account(&self, name: &str) -> Result<Arc<dyn Provider>, CloudError> {
        let found = self.accounts.iter().find(|(known, _)| known == name);
        found.map(|(_, provider)| provider.clone()).ok_or_else(|| {
            let known: Vec<&str> = self.accounts.iter().map(|(name, _)| name.as_str()).collect();
            CloudError::NoAccount(name.to_owned(), if known.is_empty() { "none".to_owned() } else { known.join(", ") })
        })
    }

    /// All providers.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.accounts.iter().map(|(_, provider)| provider)
    }

    /// All accounts as they describe themselves.
    pub fn describe(&self) -> Vec<Account> {
        self.providers().map(|provider| provider.describe()).collect()
    }

    /// What exists in all accounts together.
    pub async fn list(&self, query: &Query) -> Result<Inventory, CloudError> {
        let mut all = Inventory::default();
        for provider in self.providers() {
            let one = provider.list(query).await?;
            all.server_groups.extend(one.server_groups);
            all.load_balancers.extend(one.load_balancers);
            all.images.extend(one.images);
            all.firewalls.extend(one.firewalls);
        }
        Ok(all)
    }

    /// The server groups of one cluster in an account, those created last first; in one region, or in all.
    pub async fn cluster(
        &self,
        account: &str,
        cluster: &ClusterName,
        region: Option<&str>,
    ) -> Result<Vec<ServerGroup>, CloudError> {
        let mut groups = self.account(account)?.list(&Query::of(cluster.app())).await?.server_groups;
        groups.retain(|group| group.name.cluster() == cluster && region.is_none_or(|region| region == group.region));
        groups.sort_by(|a, b| (b.created, &b.name).cmp(&(a.created, &a.name)));
        Ok(groups)
    }
}
