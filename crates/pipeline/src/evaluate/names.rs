//! The names in scope: what a stage sees, what a pipeline sees at its start.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use expr::{Budget, Failure, Key, Map, Members, Scope, Text, Value};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::calls;
use super::things::{Execution, SourceControl, Stage, status_property};
use super::{Given, Need};

/// The names in scope and what they mean.
pub(super) struct Names<'a> {
    pub(super) given: &'a Given,
    pub(super) lenient: bool,
    /// The execution, when there is one.
    pub(super) execution: Option<Rc<Execution<'a>>>,
    /// The stage that is evaluated, when there is one.
    pub(super) stage: Option<Stage<'a>>,
    trigger: Value<'a>,
    parameters: Value<'a>,
    template_variables: Option<Value<'a>>,
    /// Names that hide all others: earlier variables of the same stage.
    over: RefCell<Members<'a>>,
    ancestors: OnceCell<Vec<Stage<'a>>>,
    random: Cell<u64>,
    pub(super) needs: RefCell<Vec<Need>>,
}

impl<'a> Names<'a> {
    /// What a stage of an execution sees; without a stage only what is derived from the execution.
    pub(super) fn of_stage(execution: &'a Json, stage_ref: Option<&str>, lenient: bool, given: &'a Given) -> Names<'a> {
        let execution = Execution::new(execution);
        let stage = stage_ref.and_then(|reference| execution.stage_by_ref(reference));
        let trigger = execution.trigger_object();
        let parameters = member(&trigger, "parameters").unwrap_or(Value::Map(Map::made(Members::default())));
        let v4 = super::is_v4(execution.json().get("spelEvaluator"));
        let template_variables = (v4 && stage.is_some())
            .then(|| execution.json().get("templateVariables"))
            .flatten()
            .filter(|json| !json.is_null())
            .map(Value::of);
        Names {
            execution: Some(execution),
            stage,
            ..Names::empty(lenient, given, trigger, parameters, template_variables)
        }
    }

    /// What a pipeline sees at its start: the trigger as it was sent.
    pub(super) fn of_pipeline(config: &'a Json, given: &'a Given) -> Names<'a> {
        let trigger = config.get("trigger").map_or(Value::Null, Value::of);
        let parameters = member(&trigger, "parameters").filter(|value| !value.is_null());
        let parameters = parameters.unwrap_or(Value::Map(Map::made(Members::default())));
        let template_variables = config.get("templateVariables").filter(|json| !json.is_null()).map(Value::of);
        Names::empty(false, given, trigger, parameters, template_variables)
    }

    fn empty(
        lenient: bool,
        given: &'a Given,
        trigger: Value<'a>,
        parameters: Value<'a>,
        template_variables: Option<Value<'a>>,
    ) -> Names<'a> {
        Names {
            given,
            lenient,
            execution: None,
            stage: None,
            trigger,
            parameters,
            template_variables,
            over: RefCell::default(),
            ancestors: OnceCell::new(),
            random: Cell::new(given.seed),
            needs: RefCell::default(),
        }
    }

    /// Makes a name hide all others of its name.
    pub(super) fn put(&self, name: &str, value: &Json) {
        self.over.borrow_mut().insert(Key::Text(Text::Made(name.into())), Value::made(value));
    }

    /// Notes what is missing from outside.
    pub(super) fn need(&self, need: Need) -> Failure {
        let message = match &need {
            Need::Pipelines => "the saved pipelines are not known yet".to_owned(),
            Need::Applications => "the applications are not known yet".to_owned(),
            Need::Url(url) => format!("{url} is not fetched yet"),
        };
        let mut needs = self.needs.borrow_mut();
        if !needs.contains(&need) {
            needs.push(need);
        }
        Failure::new(message)
    }

    /// What hides the stage's own context.
    fn derived(&self, name: &str) -> Option<Value<'a>> {
        if let Some(value) = self.over.borrow().get(&Key::Text(Text::Made(name.into()))) {
            return Some(value.clone());
        }
        match name {
            "execution" => self.execution.clone().map(|execution| Value::Thing(execution)),
            "trigger" if !self.trigger.is_null() => Some(self.trigger.clone()),
            "parameters" => Some(self.parameters.clone()),
            "scmInfo" => self.scm_info(),
            "templateVariables" => self.template_variables.clone(),
            _ => None,
        }
    }

    /// One commit of the build: the only one, or the first that is not on a main branch, else the first.
    fn scm_info(&self) -> Option<Value<'a>> {
        let Some(Value::List(commits)) = member(&self.trigger, "buildInfo").and_then(|build| member(&build, "scm"))
        else {
            return None;
        };
        let is_main = |commit: &Value| {
            let branch = match commit {
                Value::Map(members) => members.get("branch"),
                _ => None,
            };
            branch.is_some_and(|branch| matches!(branch.as_str(), Some("master" | "develop")))
        };
        let chosen = commits.iter().find(|commit| !is_main(commit)).or_else(|| commits.get(0))?;
        match chosen {
            Value::Map(members) => Some(Value::Thing(Rc::new(SourceControl(members)))),
            other => Some(other),
        }
    }

    fn ancestors(&self) -> &[Stage<'a>] {
        self.ancestors.get_or_init(|| self.stage.as_ref().map_or_else(Vec::new, Stage::ancestors))
    }
}

/// A member of an object.
fn member<'a>(of: &Value<'a>, name: &str) -> Option<Value<'a>> {
    match of {
        Value::Map(members) => members.get(name),
        _ => None,
    }
}

impl<'a> Scope<'a> for Names<'a> {
    fn name(&self, name: &str) -> Result<Option<Value<'a>>, Failure> {
        let own = self.derived(name).or_else(|| self.stage.as_ref()?.own_context(name));
        if own.is_some() || !self.lenient {
            return Ok(own);
        }
        self.member(name)
    }

    fn member(&self, name: &str) -> Result<Option<Value<'a>>, Failure> {
        let own = self.derived(name).or_else(|| self.stage.as_ref()?.own_context(name));
        Ok(own.or_else(|| self.ancestors().iter().find_map(|stage| stage.output(name))))
    }

    fn lenient(&self) -> bool {
        self.lenient
    }

    fn call(&self, function: &str, args: &[Value<'a>], cost: &Budget) -> Option<Result<Value<'a>, Failure>> {
        calls::call(self, function, args, cost)
    }

    fn symbol(&self, symbol: &str, property: &str) -> Option<Value<'a>> {
        status_property(symbol, property).map(Value::Bool)
    }

    fn now(&self) -> Timestamp {
        self.given.now
    }

    /// splitmix64 from the seed.
    fn random(&self) -> u64 {
        let state = self.random.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.random.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
