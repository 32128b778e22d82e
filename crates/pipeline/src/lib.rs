//! Applications, pipelines, executions: model, decisions, engine, triggers.
#![forbid(unsafe_code)]
