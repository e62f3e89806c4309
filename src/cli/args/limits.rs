//! The limits of a scan. What one of them leaves out is told in the report, and a clean run then exits with 3.

use clap::Args as ClapArgs;

/// How much a scan may take.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Leave out blobs larger than this (bytes, or with K, M or G) and report them as not scanned.
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_blob_size: Option<String>,
    /// Open archives within archives no deeper than this [default: 5].
    #[arg(long, value_name = "N")]
    pub(crate) max_archive_depth: Option<usize>,
    /// Unpack no more than this from the archives in one file [default: 256M], and from the deltas of one pack if its size does
    /// not allow more.
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_expansion: Option<String>,
    /// Stop after this time (`90s`, `10m`, `2h`) and report what was found until then [default: never].
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<String>,
    /// Stop when the scan holds more memory than this and report what was found until then [default: three quarters of the
    /// machine's or container's memory, and no more than a third of `ulimit -v`].
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_memory: Option<String>,
    /// Number of threads [default: one per core].
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}
