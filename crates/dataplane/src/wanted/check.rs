//! What types cannot say of a wanted state: schema, names, uniqueness, bounds.

use std::collections::HashSet;

use super::{
    Balancer, HealthCheck, Probe, Protocol, ProxyProtocol, SCHEMA, Stickiness, StickyKey, Wanted, WantedError, valid_id,
};

impl Wanted {
    /// Checks what types cannot: schema, names, uniqueness, bounds.
    pub fn check(&self) -> Result<(), WantedError> {
        if self.schema == 0 || self.schema > SCHEMA {
            return Err(WantedError::Schema(self.schema));
        }
        unique("balancers", self.balancers.iter().map(|b| &b.id))?;
        for balancer in &self.balancers {
            let place = format!("balancer {}", balancer.id);
            unique(&format!("{place}, members"), balancer.members.iter().map(|m| &m.id))?;
            if let Some(member) = balancer.members.iter().find(|m| m.weight > 10_000) {
                return Err(value(&place, format!("weight {} of member {} is above 10000", member.weight, member.id)));
            }
            check_health(&place, balancer.health.as_ref())?;
            check_choice(&place, balancer)?;
            check_datagrams(&place, balancer)?;
        }
        unique("instances", self.instances.iter().map(|i| &i.id))?;
        for instance in &self.instances {
            let place = format!("instance {}", instance.id);
            if instance.command.first().is_none_or(String::is_empty) {
                return Err(value(&place, "command is empty: give a program and its arguments".into()));
            }
            let texts = instance.command.iter().chain(instance.env.keys()).chain(instance.env.values());
            if texts.into_iter().any(|t| t.contains('\0'))
                || instance.env.keys().any(|k| k.is_empty() || k.contains('='))
            {
                return Err(value(
                    &place,
                    "command or environment holds a NUL byte or a name that is empty or has `=`".into(),
                ));
            }
            check_health(&place, instance.health.as_ref())?;
        }
        Ok(())
    }
}

fn unique<'a>(place: &str, ids: impl Iterator<Item = &'a String>) -> Result<(), WantedError> {
    let mut seen = HashSet::new();
    for id in ids {
        if !valid_id(id) {
            return Err(WantedError::Id { place: place.into(), id: id.clone() });
        }
        if !seen.insert(id) {
            return Err(WantedError::Twice { place: place.into(), id: id.clone() });
        }
    }
    Ok(())
}

fn check_health(place: &str, check: Option<&HealthCheck>) -> Result<(), WantedError> {
    let Some(check) = check else { return Ok(()) };
    if check.interval_ms < 10 || check.timeout_ms < 10 {
        return Err(value(place, "health check: interval_ms and timeout_ms are at least 10".into()));
    }
    match &check.probe {
        Probe::Http { path, .. } if !path.starts_with('/') || path.bytes().any(|b| b <= b' ' || b == 0x7f) => {
            Err(value(
                place,
                format!("health check: path `{}` must begin with `/` and hold no blanks", path.escape_debug()),
            ))
        }
        _ => Ok(()),
    }
}

fn check_choice(place: &str, balancer: &Balancer) -> Result<(), WantedError> {
    unique(&format!("{place}, shares"), balancer.shares.iter().map(|s| &s.group))?;
    let sum: u32 = balancer.shares.iter().map(|s| u32::from(s.percent)).sum();
    if sum > 100 {
        return Err(value(place, format!("shares are {sum} per cent together; at most 100")));
    }
    let Some(Stickiness { key: StickyKey::Cookie { name, .. } | StickyKey::Header { name }, .. }) =
        &balancer.stickiness
    else {
        return Ok(());
    };
    if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        return Err(value(place, format!("stickiness: `{}` is no name of a cookie or header", name.escape_debug())));
    }
    Ok(())
}

/// What there is for streams only.
fn check_datagrams(place: &str, balancer: &Balancer) -> Result<(), WantedError> {
    let Some(udp) = balancer.listeners.iter().find(|l| l.protocol == Protocol::Udp) else { return Ok(()) };
    let place = format!("{place}, udp listener {}", udp.address);
    if !udp.certificates.is_empty() || udp.proxy_protocol {
        return Err(value(&place, "TLS and a PROXY head are for listeners of connections".into()));
    }
    if balancer.send_proxy == Some(ProxyProtocol::V1) {
        return Err(value(&place, "version 1 of the PROXY protocol knows no datagrams: take version 2".into()));
    }
    Ok(())
}

fn value(place: &str, what: String) -> WantedError {
    WantedError::Value { place: place.into(), what }
}
