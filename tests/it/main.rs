//! Integration tests: the modules are named after what they prove.

mod allow;
mod attribution_by_git;
mod ci_event;
mod cli;
mod configuration;
mod copies_in_history;
mod coverage_gaps;
mod cure;
mod damage;
mod doctor;
mod formats;
mod git_engine;
mod git_places;
mod hooks;
#[cfg(target_os = "linux")]
mod hostile;
mod html;
#[cfg(feature = "revoke")]
mod kills;
mod known_keys;
mod labelled;
mod large_files;
mod layering;
#[cfg(feature = "live")]
mod live_check;
mod places_by_git;
mod range_gaps;
mod ranges_by_git;
mod reports;
#[cfg(feature = "revoke")]
mod revocation;
#[cfg(all(feature = "live", feature = "revoke"))]
mod secrecy;
mod soak;
mod source_maps;
mod staged;
mod staged_like_git;
mod support;
mod tables;
#[cfg(any(feature = "live", feature = "revoke"))]
mod tls_server;
mod tracked_files;
mod views;
