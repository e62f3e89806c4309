//! The cure sheet says what the history says, and the file that rewrites history is its owner's alone.

use std::process::Output;

use pulldown_cmark::Event;
use pulldown_cmark::Tag;

use crate::support::Sandbox;
use crate::support::key;
use crate::support::stderr;

/// A repository `r` whose key came in at one date, was renamed and copied at others, and is gone from `HEAD`; and a
/// report on it.
fn leaked() -> (Sandbox, String) {
    let (sandbox, key) = (Sandbox::new(), key());
    let commit = |date: &str, author: &str| {
        sandbox.git(&["-C", "r", "add", "-A"]);
        let author = format!("--author={author} <{author}@example.invalid>");
        let date = format!("{date}T12:00:00+02:00");
        std::process::Command::new("git")
            .args(["-C", "r", "-c", "user.name=C", "-c", "user.email=c@example.invalid", "commit"])
            .args(["-qm", "x", &author, "--date", &date])
            .env("GIT_COMMITTER_DATE", &date)
            .current_dir(sandbox.path())
            .status()
            .expect("git runs");
    };
    sandbox.git(&["init", "-q", "r"]);
    sandbox.write("r/.env", format!("YOUSIGN_API_KEY={key}\nYOUSIGN_ENV=production\n"));
    commit("2023-02-01", "Ann");
    sandbox.git(&["-C", "r", "tag", "v1"]);
    sandbox.git(&["-C", "r", "mv", ".env", "prod.env"]);
    sandbox.write("r/app.min.js", format!("const a={{VITE_YOUSIGN_API_KEY:\"{key}\"}};\n"));
    commit("2023-03-03", "Bob");
    sandbox.git(&["-C", "r", "update-ref", "refs/pull/7/head", "HEAD"]);
    sandbox.git(&["-C", "r", "rm", "-q", "prod.env", "app.min.js"]);
    sandbox.write("r/readme", "nothing\n");
    commit("2023-03-13", "Ann");
    let scan = sandbox.run(&["scan", "r", "-o", "json=report.json"]);
    assert_eq!(scan.status.code(), Some(1), "{}", stderr(&scan));
    (sandbox, key)
}

fn cure(sandbox: &Sandbox, more: &[&str]) -> Output {
    sandbox.run(&[&["cure", "--from", "report.json"], more].concat())
}

/// The text with all its white space made one.
fn flat(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_sheet_tells_since_when_and_to_whom_and_what_to_do_in_order() {
    let (sandbox, key) = leaked();
    let sheet = cure(&sandbox, &[]);
    assert_eq!(sheet.status.code(), Some(0), "{}", stderr(&sheet));
    let text = flat(&sheet);
    for part in [
        "production",
        "first seen 2023-02-01, commit",
        "by Ann <Ann@example.invalid>",
        "last seen 2023-03-03",
        // From the first commit to the one that took it out, and not twice what a renamed file lasted.
        "exposed for 40 days",
        "now gone from HEAD, in history",
        "tags v1",
        "pull requests 7/head",
        "authors Ann <Ann@example.invalid>, Bob <Bob@example.invalid>",
        "client sent to browsers or phones",
        "prod.env:1:17 (git history",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let steps =
        ["1. create a new key first", "2. deploy it", "3. revoke this", "4. prove", "5. opt"];
    let at: Vec<usize> = steps.iter().map(|step| text.find(step).expect("a step")).collect();
    assert!(at.is_sorted(), "{text}");
    for part in ["may have 200", "workspace and read-only", "forks", "refs/pull/7/head", "caches"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains(&key));
    let lines = String::from_utf8_lossy(&sheet.stdout).into_owned();
    assert!(lines.lines().all(|line| line.chars().count() <= 88), "{lines}");
}

#[test]
fn the_sheet_is_markdown_with_steps_to_tick_off_and_a_page() {
    let (sandbox, key) = leaked();
    let markdown = cure(&sandbox, &["--format", "markdown", "-o", "sheet.md"]);
    assert!(markdown.status.success() && markdown.stdout.is_empty());
    let text = String::from_utf8(sandbox.read("sheet.md")).expect("UTF-8");
    let options = pulldown_cmark::Options::all();
    let events: Vec<Event<'_>> = pulldown_cmark::Parser::new_ext(&text, options).collect();
    let boxes = events.iter().filter(|event| matches!(event, Event::TaskListMarker(false)));
    assert_eq!(boxes.count(), 5, "{text}");
    let holds = |wanted: Event<'_>| events.contains(&wanted);
    assert!(holds(Event::Start(Tag::TableCell)) && holds(Event::Text("first seen".into())));
    assert!(holds(Event::Code("git filter-repo --replace-text FILE".into())), "{text}");
    let page = cure(&sandbox, &["--format", "html"]);
    let page = String::from_utf8_lossy(&page.stdout).into_owned();
    assert!(page.contains("What to do, in this order") && page.contains("Content-Security-Policy"));
    assert!(!text.contains(&key) && !page.contains(&key));
}

#[test]
fn every_kind_of_secret_has_its_own_remedy() {
    let sandbox = Sandbox::new();
    let scim = key() + &key();
    sandbox.write("a/hook.env", format!("YOUSIGN_WEBHOOK_SECRET={}\n", hex()));
    sandbox.write("a/scim.env", format!("YOUSIGN_SCIM_TOKEN={scim}\n"));
    sandbox.write("a/v1.env", format!("YOUSIGN_PASSWORD=Tr4{}\n", &key()[..9]));
    let link = format!(
        "https://yousign.app/signatures/{}?s={}{}&r={}&k={}\n",
        "3f2b8c1e-9d47-4a6b-8e15-7c0d2f9a4b63",
        hex(),
        hex(),
        hex(),
        key()
    );
    sandbox.write("a/link.txt", link);
    sandbox.run(&["scan", "a", "-o", "json=report.json"]);
    let text = flat(&cure(&sandbox, &[]));
    for part in [
        "replace the secret of this webhook",
        "could forge events",
        "cancel the signature request",
        "the old token dies with it",
        "change this password",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("filter-repo"), "there is no history to rewrite");
}

fn hex() -> String {
    use rand::RngExt as _;
    let mut random = rand::rng();
    (0..32).map(|_| format!("{:x}", random.random_range(0..16))).collect()
}

#[cfg(unix)]
#[test]
fn the_file_that_rewrites_history_is_new_private_and_outside_of_git() {
    use std::os::unix::fs::PermissionsExt as _;
    let (sandbox, key) = leaked();
    let told = cure(&sandbox, &["--replace-text", "secrets"]);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let file = sandbox.path().join("secrets");
    let mode = std::fs::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = String::from_utf8(sandbox.read("secrets")).expect("UTF-8");
    assert!(text.contains(&format!("literal:{key}==>***REMOVED***\n")), "{text}");
    assert!(text.lines().all(|line| line.starts_with("literal:")));
    assert!(!stderr(&told).contains(&key) && !flat(&told).contains(&key));

    let again = cure(&sandbox, &["--replace-text", "secrets"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("not overwritten"), "{}", stderr(&again));
    sandbox.write("elsewhere", "precious");
    std::os::unix::fs::symlink("elsewhere", sandbox.path().join("link")).expect("linked");
    std::os::unix::fs::symlink("nowhere", sandbox.path().join("dangling")).expect("linked");
    for link in ["link", "dangling"] {
        assert_eq!(cure(&sandbox, &["--replace-text", link]).status.code(), Some(2), "{link}");
    }
    assert_eq!(sandbox.read("elsewhere"), b"precious");
    assert!(!sandbox.path().join("nowhere").exists());
    let inside = cure(&sandbox, &["--replace-text", "r/secrets"]);
    assert_eq!(inside.status.code(), Some(2));
    assert!(stderr(&inside).contains("git repository"), "{}", stderr(&inside));
    assert!(!sandbox.path().join("r/secrets").exists());
}

#[test]
fn what_is_no_longer_at_its_place_is_told() {
    let sandbox = Sandbox::new();
    let (one, two) = (key(), key());
    sandbox.write("a/one.env", format!("YOUSIGN_API_KEY={one}\n"));
    sandbox.write("a/two.env", format!("YOUSIGN_API_KEY={two}\n"));
    sandbox.run(&["scan", "a", "-o", "json=report.json"]);
    sandbox.write("a/two.env", "clean\n");
    let told = cure(&sandbox, &["--replace-text", "secrets"]);
    assert_eq!(told.status.code(), Some(3), "{}", stderr(&told));
    assert!(stderr(&told).contains("1 of the secrets"), "{}", stderr(&told));
    let text = String::from_utf8(sandbox.read("secrets")).expect("UTF-8");
    assert!(text.contains(&one) && !text.contains(&two));
    sandbox.write("a/one.env", "clean\n");
    let none = cure(&sandbox, &["--replace-text", "others"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(!sandbox.path().join("others").exists());
}
