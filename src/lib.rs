//! Finds leaked Yousign credentials in files and whole git histories.

pub mod location;
pub mod secret;

pub mod blob;
pub mod coverage;
pub mod provenance;

pub mod decode;
pub mod finding;
pub mod source;

pub mod report;
pub mod rule;
pub mod suppress;

pub mod detect;

pub mod check;
pub mod scan;
