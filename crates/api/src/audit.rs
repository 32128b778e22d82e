//! What comes into the audit log: every request of somebody known that may have changed something, however it was answered. The log itself is in
//! `access::audit`.

use std::sync::{Arc, OnceLock};

use access::Caller;
use access::audit::{self, Deed};
use axum::http::{Request, StatusCode};
use store::{Store, StoreError};
use tokio::task::JoinHandle;

/// They are posted and change nothing: what comes with them is computed or looked at.
const ASKING: [&str; 6] = [
    "/pipelines/plan",
    "/pipelines/validate",
    "/pipelines/{id}/evaluateExpression",
    "/pipelines/{id}/{stage}/evaluateExpression",
    "/pipelines/{id}/evaluateVariables",
    "/v2/pipelineTemplates/plan",
];

/// The longest path that is kept whole, in bytes.
const LONGEST: usize = 1000;

/// What is noted as the status when whoever asked went away before the answer; nginx's logs say it so.
const GONE: u16 = 499;

/// Who makes a request, as soon as the guard knows it.
#[derive(Clone, Default)]
pub(crate) struct Who(Arc<OnceLock<Caller>>);

impl Who {
    /// Tells the log of a request who makes it.
    pub fn tell<B>(request: &Request<B>, caller: &Caller) {
        if let Some(who) = request.extensions().get::<Who>() {
            let _ = who.0.set(caller.clone());
        }
    }
}

/// A request that comes into the log: when it is answered, or when whoever asked did not wait for the answer.
pub(crate) struct Noting {
    store: Store,
    who: Who,
    /// What will be noted; nothing any more when it is.
    deed: Option<Deed>,
}

impl Noting {
    /// Takes note of a request to this route; nothing when it cannot change anything. What a webhook starts stands among the runs, with its event:
    /// strangers must not be able to fill the log.
    pub fn of<B>(request: &mut Request<B>, route: Option<&str>, id: &str, store: &Store) -> Option<Noting> {
        let route = route?;
        if request.method().is_safe() || ASKING.contains(&route) || route.starts_with("/webhooks/") {
            return None;
        }
        let path = request.uri().path();
        let deed = Deed {
            who: String::new(),
            role: String::new(),
            method: request.method().to_string(),
            // A path is of ASCII: what else there is stands in it as %XX.
            path: path.get(..LONGEST).unwrap_or(path).to_owned(),
            status: 0,
            request: id.to_owned(),
        };
        let who = Who::default();
        request.extensions_mut().insert(who.clone());
        Some(Noting { store: store.clone(), who, deed: Some(deed) })
    }

    /// Notes how it was answered. The answer waits for that: what somebody was told stands in the log.
    pub async fn answered(mut self, status: StatusCode) {
        if let Some(noting) = self.note(status.as_u16()) {
            let _ = noting.await;
        }
    }

    /// Begins to note it, which goes on also when nobody waits. Whom the guard did not let in is in the server's log alone.
    fn note(&mut self, status: u16) -> Option<JoinHandle<()>> {
        let (caller, mut deed) = (self.who.0.get()?, self.deed.take()?);
        deed.who = caller.name.clone();
        deed.role = caller.role.to_string();
        deed.status = status;
        let store = self.store.clone();
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        Some(runtime.spawn(async move {
            let (who, request) = (deed.who.clone(), deed.request.clone());
            if let Err(error) = store.write::<_, StoreError, _>(move |tx| audit::append(tx, &deed)).await {
                tracing::error!(%error, who, request, "a request could not be noted in the audit log");
            }
        }))
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        self.note(GONE);
    }
}
