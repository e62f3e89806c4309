//! Finds leaked Yousign credentials in files and whole git histories.

pub mod location;
pub mod secret;

pub mod blob;
pub mod provenance;

pub mod coverage;
pub mod finding;

pub mod source;
