//! Outputs as targets: what a scanned repository writes into reports, and where reports are written.

use std::fs;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::Scene;
use super::binary;

const FORMATS: [&str; 10] =
    ["text", "json", "jsonl", "html", "sarif", "github", "gitlab", "junit", "csv", "markdown"];

/// Names that try to leave the place where they stand.
const NAMES: [&[u8]; 12] = [
    b"\x1b]0;title\x07\x1b[2J.env",
    b"a\n::error file=x::y\n.env",
    b"a\r::set-output name=x::y.env",
    b"%0A::stop-commands::x.env",
    b"=HYPERLINK(\"http:x\").env",
    b"+1.env",
    b"@SUM(1).env",
    b"-1.env",
    b"]]><x a='\"' b=\"'\">&amp;<!--.env",
    b"| a | [x](javascript:y) `z` .env",
    "\u{202e}vne.\u{200b}\u{2066}\u{e0041}.env".as_bytes(),
    b"\xff\xfe\x80.env",
];

/// Whether a terminal or an editor would do something at this character.
fn drives(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
}

#[test]
fn names_of_files_stay_in_their_place_in_every_format() {
    for format in FORMATS {
        let scene = Scene::files();
        for name in NAMES {
            let path = scene.path("").join(std::ffi::OsStr::from_bytes(name));
            fs::write(path, format!("YOUSIGN_API_KEY={}\n", scene.key)).expect("written");
        }
        let run = scene.run(&["scan", "t", "--format", format]);
        run.exits(1);
        // Lines of CSV end so.
        let said = run.said().replace("\r\n", "\n");
        assert!(!said.contains(drives), "{format}: {said}");
        is_valid(format, &run.stdout);
    }
}

#[test]
fn messages_and_authors_of_commits_stay_in_their_place_in_every_format() {
    for format in FORMATS {
        let scene = Scene::repo();
        scene.write("a.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
        scene.git(&["add", "."]);
        let author = "--author=\u{1b}[2J\u{202e}=1+1|<b> <\r::error::x@example.invalid>";
        let message = format!("\u{1b}[2J\r::error::x\nYOUSIGN_API_KEY={} <script>", scene.key);
        scene.git(&["commit", "-qm", &message, author]);
        scene.git(&["branch", "=1+1'\"<b>"]);
        let run = scene.run(&["scan", "t", "--format", format]);
        run.exits(1);
        // Lines of CSV end so.
        let said = run.said().replace("\r\n", "\n");
        assert!(!said.contains(drives), "{format}: {said}");
        is_valid(format, &run.stdout);
    }
}

/// Reads the report back.
fn is_valid(format: &str, report: &str) {
    match format {
        "json" | "sarif" | "gitlab" => {
            serde_json::from_str::<serde_json::Value>(report).expect("JSON");
        }
        "jsonl" => report.lines().for_each(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("JSON");
        }),
        "junit" => {
            roxmltree::Document::parse(report).expect("XML");
        }
        "csv" => {
            let mut reader = csv::Reader::from_reader(report.as_bytes());
            for record in reader.records() {
                for cell in &record.expect("a record of the same length") {
                    assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
                }
            }
        }
        "github" => {
            for line in report.lines().filter(|line| line.contains("::")) {
                let ours = ["::error ", "::warning ", "::notice "];
                assert!(ours.iter().any(|start| line.starts_with(start)), "{line}");
            }
        }
        "html" => {
            assert!(!report.contains("<img") && !report.contains("<x a="), "markup of a name");
            assert!(!report.contains("<b>") || !report.contains("=1+1'\"<b>"), "markup");
        }
        _ => {}
    }
}

#[test]
fn a_file_takes_the_report_whole_and_for_its_owner_alone() {
    for format in FORMATS {
        let scene = Scene::files();
        let path = scene.outside("report");
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("ours");
        scene.run(&["scan", "t", "-f", format, "-o", "report"]).exits(1);
        let metadata = fs::symlink_metadata(&path).expect("there");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{format}");
        assert!(!super::content(&path).contains(&scene.key));
        assert!(super::content(&path).len() > 100, "{format}");
    }
}

#[test]
fn a_link_is_followed_and_a_device_is_never_replaced() {
    let scene = Scene::files();
    fs::write(scene.outside("real"), "old").expect("written");
    scene.link("../link", "real");
    scene.run(&["scan", "t", "-o", "json=link"]).exits(1);
    assert!(fs::symlink_metadata(scene.outside("link")).expect("there").is_symlink());
    assert!(super::content(&scene.outside("real")).contains("schema_version"));
    scene.run(&["scan", "t", "-o", "json=/dev/null"]).exits(1);
    assert!(fs::metadata("/dev/null").expect("there").file_type().is_char_device());
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_and_leaves_nothing_behind() {
    for output in [
        "/dev/full",
        "t",
        "missing/report",
        "loop",
        "t/beside.env/report",
        "/proc/signleak-report",
        "/dev/null/report",
    ] {
        let scene = Scene::files();
        scene.link("../loop", "loop");
        let before = fs::read_dir(scene.outside("")).expect("there").count();
        let run = scene.run(&["scan", "t", "-q", "-o", &format!("json={output}")]);
        assert_eq!(run.status.code(), Some(2), "{output}: {}", run.short());
        run.says("error: cannot");
        let after = fs::read_dir(scene.outside("")).expect("there").count();
        // What the runner itself keeps: what was printed.
        assert_eq!(after, before + 2, "{output}");
        assert_eq!(fs::read_dir(scene.path("")).expect("there").count(), 1, "{output}");
    }
}

#[test]
fn an_old_report_outlives_a_failure() {
    let scene = Scene::files();
    fs::write(scene.outside("first"), "old").expect("written");
    // The second report fails; the first is new and whole, or old and whole.
    scene.run(&["scan", "t", "-o", "json=first", "-o", "sarif=/dev/full"]).exits(2);
    let first = super::content(&scene.outside("first"));
    assert!(first == "old" || serde_json::from_str::<serde_json::Value>(&first).is_ok());
}

#[test]
fn a_fifo_is_written_into() {
    let scene = Scene::files();
    scene.fifo("../pipe");
    let path = scene.outside("pipe");
    let read = std::thread::scope(|scope| {
        let reader = scope.spawn(|| super::content(&path));
        scene.run(&["scan", "t", "-o", "json=pipe"]).exits(1);
        reader.join().expect("no panic")
    });
    assert!(read.contains("schema_version"));
    assert!(fs::symlink_metadata(&path).expect("there").file_type().is_fifo());
}

#[test]
fn a_fifo_whose_reader_goes_away_is_an_error() {
    let scene = Scene::files();
    scene.fifo("../pipe");
    for number in 0..2_000 {
        scene.write(&format!("{number}.env"), format!("YOUSIGN_API_KEY={}\n", scene.key));
    }
    let path = scene.outside("pipe");
    std::thread::scope(|scope| {
        scope.spawn(|| drop(File::open(&path).expect("opened")));
        scene.run(&["scan", "t", "-q", "-o", "json=pipe"]).exits(2).says("reader has gone away");
    });
}

/// Runs a line of the shell beside the target; `$0` is the binary.
fn shell(scene: &Scene, line: &str) -> super::Run {
    let mut command = Command::new("sh");
    command.args(["-c", line]).arg(binary());
    scene.watch(command, &[line])
}

#[test]
fn standard_output_that_is_closed_full_or_not_read_keeps_the_status() {
    let scene = Scene::files();
    for format in FORMATS {
        shell(&scene, &format!("\"$0\" scan t -f {format} >&-")).exits(1);
        shell(&scene, &format!("\"$0\" scan t -f {format} >/dev/full")).exits(2).says("error: ");
        let line = format!("{{ \"$0\" scan t -f {format}; echo $? >status; }} | true");
        shell(&scene, &line).exits(0);
        assert_eq!(super::content(&scene.outside("status")), "1\n", "{format}");
    }
    shell(&scene, "\"$0\" scan t 2>&-").exits(1);
    shell(&scene, "\"$0\" scan t 2>/dev/full").exits(1);
    shell(&scene, "\"$0\" scan t <&-").exits(1);
}

#[test]
fn names_that_look_like_options_are_names() {
    let scene = Scene::files();
    for name in ["-o", "--help", "--no-history", "-"] {
        fs::create_dir(scene.outside(name)).expect("made");
        fs::copy(scene.path("beside.env"), scene.outside(name).join(".env")).expect("copied");
        scene.run(&["scan", "--format", "json", &format!("./{name}")]).finds_all();
    }
    scene.run(&["scan", "--format", "json", "--", "--help"]).finds_all();
}
