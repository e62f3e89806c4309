//! Each limit is an option, and what it leaves out is told and makes a clean run exit with 3.

use std::io::Write as _;

use super::Run;
use super::Scene;
use super::size;
use crate::support::key;

/// Scans an archive in an archive in an archive, of which the innermost holds a text.
fn nested(args: &[&str]) -> Run {
    let scene = Scene::files();
    let mut content = b"nothing here\n".repeat(10_000);
    for _ in 0..3 {
        let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
        encoder.write_all(&content).expect("into memory");
        content = encoder.finish().expect("into memory");
    }
    scene.write("nested.gz", content);
    scene.scan_with(args)
}

#[test]
fn the_depth_of_archives_is_limited() {
    nested(&[]).finds_all();
    nested(&["--max-archive-depth", "3"]).finds_all();
    for depth in ["0", "1", "2"] {
        nested(&["--max-archive-depth", depth]).finds_and_says("nest too deep");
    }
}

#[test]
fn what_archives_unpack_to_is_limited() {
    nested(&["--max-expansion", "200K"]).finds_all();
    for size in ["100", "1K", "100K"] {
        nested(&["--max-expansion", size]).finds_and_says("more than the limit");
    }
}

#[test]
fn blobs_over_the_limit_are_left_out() {
    let scene = Scene::files();
    scene.write("large.txt", "nothing here\n".repeat(1_000));
    scene.scan_with(&["--max-blob-size", "5K"]).finds_and_says("larger than --max-blob-size");
}

/// A file that holds more keys than fit, behind the planted one, which is read first.
fn many_keys(count: usize) -> Scene {
    let scene = Scene::files();
    let keys = (0..count).map(|number| format!("YOUSIGN_API_KEY_{number}={}\n", key()));
    scene.write("many/.env", keys.collect::<String>());
    scene
}

#[test]
fn memory_over_the_limit_ends_the_scan_with_a_report_of_what_was_found() {
    let scene = many_keys(size(20_000, 2_000));
    let scan = |args: &[&str]| {
        scene.run(&[&["scan", "t/beside.env", "t/many", "--format", "json"], args].concat())
    };
    scan(&[]).finds_all();
    scan(&["--max-memory", "4G"]).finds_all();
    for limit in ["1", "1K", "1M"] {
        scan(&["--max-memory", limit]).finds_and_says("as much memory as it may (--max-memory)");
    }
}

#[test]
fn memory_over_the_limit_makes_a_clean_run_incomplete() {
    let scene = Scene::files();
    scene.write("beside.env", "nothing here\n");
    scene.scan_with(&["--max-memory", "1K"]).exits(3).says("(--max-memory)");
}

#[test]
fn a_limit_that_is_hit_makes_a_clean_run_incomplete() {
    for args in [&["--max-blob-size", "10"][..], &["--timeout", "1s"]] {
        let scene = Scene::files();
        scene.write("beside.env", "nothing here, in as many words as it takes\n");
        let run = scene.scan_with(args);
        if args[0] == "--timeout" {
            run.exits(0);
        } else {
            run.exits(3).says("too_large");
        }
    }
}

#[test]
fn threads_change_nothing_in_a_report() {
    let scene = Scene::repo();
    let first = scene.scan_with(&["--threads", "1"]);
    first.finds_all();
    for threads in ["2", "7", "64"] {
        assert_eq!(scene.scan_with(&["--threads", threads]).stdout, first.stdout);
    }
}

#[test]
fn limits_that_are_none_are_refused() {
    for args in [
        ["--timeout", "0s"],
        ["--timeout", "5"],
        ["--timeout", "99999999999999999999h"],
        ["--max-expansion", "much"],
        ["--max-expansion", "99999999999G"],
        ["--max-archive-depth", "x"],
        ["--max-blob-size", "1T"],
        ["--max-memory", "half"],
        ["--max-memory", "99999999999G"],
        ["--threads", "0"],
        ["--threads", "x"],
    ] {
        Scene::files().scan_with(&args).exits(2).says(args[0]);
    }
}
