//! The HTML report: one file that holds no secret, runs nothing but its own script, and is the same for equal input.
//! `tests/browser/` opens it in a browser.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;
use sha2::Sha256;

use crate::support::Sandbox;
use crate::support::key;

const MARKUP: &str = "</script><script>alert(1)</script><img src=x>";

/// A history with a key under a hostile path, one in a hostile message, and one in a file.
fn hostile() -> (Sandbox, [String; 3]) {
    let sandbox = Sandbox::new();
    let keys = [key(), key(), key()];
    sandbox.git(&["init", "-q"]);
    sandbox.write("<img src=x>\u{202e}/a&b.env", format!("YOUSIGN_API_KEY={}\n", keys[0]));
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "-qm", &format!("{MARKUP} YOUSIGN_API_KEY={}", keys[1])]);
    sandbox.write("b.env", format!("# <!-- {MARKUP}\nYOUSIGN_API_KEY={}\n", keys[2]));
    (sandbox, keys)
}

fn html(sandbox: &Sandbox, args: &[&str]) -> String {
    let output = sandbox.run(&[&["scan", "--format", "html"], args].concat());
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stdout).expect("HTML is UTF-8")
}

/// The text between the first `from` and the next `to`.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let start = text.find(from).expect("the start is there") + from.len();
    &text[start..start + text[start..].find(to).expect("the end is there")]
}

#[test]
fn it_holds_no_secret_and_no_markup_of_others() {
    let (sandbox, keys) = hostile();
    let page = html(&sandbox, &[]);
    assert!(keys.iter().all(|key| !page.contains(key)));
    assert!(page.contains("3 leaked secrets"));
    assert!(page.contains("&#60;img src=x&#62;\\u{202e}/a&#38;b.env"), "shown, but as text");
    assert!(
        !page.contains("<img") && !page.contains("alert(1)</script>") && !page.contains('\u{202e}')
    );
    assert_eq!(page.matches("<script").count(), 2, "the data and the page's own");
}

#[test]
fn its_policy_names_its_own_style_and_script() {
    let (sandbox, _) = hostile();
    let page = html(&sandbox, &[]);
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"").replace("&#39;", "'");
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(
        policy.contains(&format!("style-src {};", hash(between(&page, "<style>", "</style>"))))
    );
    assert!(
        policy.contains(&format!("script-src {};", hash(between(&page, "<script>", "</script>"))))
    );
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
}

#[test]
fn equal_input_gives_an_equal_page() {
    let (sandbox, _) = hostile();
    let first = html(&sandbox, &["--threads", "1"]);
    assert_eq!(first, html(&sandbox, &["--threads", "7"]));
    let json = sandbox.run(&["scan", "--format", "json", "-o", "report.json"]);
    assert_eq!(json.status.code(), Some(1));
    let converted = sandbox.run(&["report", "--format", "html", "report.json"]);
    assert_eq!(String::from_utf8_lossy(&converted.stdout), first);
}

#[test]
fn a_clean_run_says_so_and_an_incomplete_one_does_not() {
    let sandbox = Sandbox::new();
    sandbox.write("readme", "nothing here");
    let clean = sandbox.run(&["scan", "--format", "html"]);
    let clean = String::from_utf8_lossy(&clean.stdout).into_owned();
    assert!(clean.contains("No leak found") && clean.contains("Nothing was left out"));
    let partial = sandbox.run(&["scan", "--format", "html", "--max-blob-size", "3"]);
    let partial = String::from_utf8_lossy(&partial.stdout).into_owned();
    assert!(
        partial.contains("Not everything was scanned") && partial.contains("larger than the limit")
    );
    assert!(!partial.contains("Nothing was left out"));
}
