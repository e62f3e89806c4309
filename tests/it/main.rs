//! Integration tests: the modules are named after what they prove.

mod ci_event;
mod cli;
mod formats;
mod git_engine;
mod git_places;
mod hooks;
mod labelled;
mod layering;
mod reports;
mod staged;
mod support;
