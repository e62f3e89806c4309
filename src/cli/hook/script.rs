//! The text of hook scripts: POSIX sh, quiet when all is well, and closed when the program is gone.

use super::super::args::HookName;

/// What stands behind the name of a hook that was there before ours.
pub(super) const CHAINED: &str = ".before-signleak";
/// How a file that we wrote is recognised.
const MARK: &str = "written by `signleak hook install`";
/// How a part that we added to somebody's script begins and ends.
const BLOCK_START: &str = "# >>> signleak hook >>>";
const BLOCK_END: &str = "# <<< signleak hook <<<";

/// Where a hook finds the program and the hook that was there before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Script<'s> {
    /// Name of the hook as git knows it.
    pub(super) hook: &'s str,
    /// Whether git writes to its standard input.
    pub(super) reads_stdin: bool,
    /// The program's path; `None` for a script that others share, which looks for it in `PATH`.
    pub(super) program: Option<&'s str>,
    /// Whether the repository's own hook is called, because ours stands in for it in every repository.
    pub(super) is_global: bool,
    /// Whether this hook is one of ours, or only passes on to the repository's own.
    pub(super) checks: bool,
}

impl<'s> Script<'s> {
    /// The script of one of our hooks.
    pub(super) fn of(hook: HookName, program: Option<&'s str>) -> Self {
        Self {
            hook: hook.file_name(),
            reads_stdin: hook.reads_stdin(),
            program,
            is_global: false,
            checks: true,
        }
    }

    /// A whole hook.
    pub(super) fn whole(&self) -> String {
        let hook = self.hook;
        let mut before = format!("before=\"${{0%/*}}/{hook}{CHAINED}\"\n");
        if self.is_global {
            before += &format!(
                "[ -x \"$before\" ] || before=\"$(git rev-parse --git-common-dir)/hooks/{hook}\"\n"
            );
        }
        let (feed, pipe) = if self.reads_stdin {
            (
                "input=$(cat)\nfeed() { [ -z \"$input\" ] || printf '%s\\n' \"$input\"; }\n",
                "feed | ",
            )
        } else {
            ("", "")
        };
        let check = if self.checks {
            format!("{}{pipe}\"$signleak\" hook run {hook} \"$@\"\n", self.find_program())
        } else {
            String::new()
        };
        format!(
            "#!/bin/sh\n# signleak's {hook} hook, {MARK}; `signleak hook uninstall` takes it out.\n{feed}{before}if [ -x \"$before\" ]; then\n    {pipe}\"$before\" \"$@\" || exit $?\nfi\n{check}"
        )
    }

    /// The part that is added to a script which others share.
    pub(super) fn block(&self) -> String {
        let hook = self.hook;
        let call = if self.reads_stdin {
            format!(
                "signleak_input=$(cat)\n[ -z \"$signleak_input\" ] || printf '%s\\n' \"$signleak_input\" | \"$signleak\" hook run {hook} \"$@\" || exit $?\nexec <<SIGNLEAK_INPUT\n$signleak_input\nSIGNLEAK_INPUT\n"
            )
        } else {
            format!("\"$signleak\" hook run {hook} \"$@\" || exit $?\n")
        };
        format!("{BLOCK_START}\n{}{call}{BLOCK_END}\n", self.find_program())
    }

    fn find_program(&self) -> String {
        let remedy = match self.hook {
            "pre-receive" => "Install it on the server again, or remove the hook.",
            "pre-push" => "Install it again, or once, on purpose: git push --no-verify",
            _ => "Install it again, or once, on purpose: git commit --no-verify",
        };
        let (at, known) = match self.program {
            Some(program) => (format!("signleak={}\n", quoted(program)), " at $signleak"),
            None => ("signleak=signleak\n".to_owned(), ""),
        };
        format!(
            "{at}[ -x \"$signleak\" ] || command -v \"$signleak\" >/dev/null 2>&1 || signleak=$(command -v signleak) || {{\n    echo \"signleak: the {hook} hook cannot find the program{known}, so nothing was checked and nothing goes through.\" >&2\n    echo \"signleak: {remedy}\" >&2\n    exit 1\n}}\n",
            hook = self.hook,
        )
    }
}

/// Whether we wrote the whole script.
pub(super) fn is_ours(text: &str) -> bool {
    text.contains(MARK)
}

/// Whether the script has our part in it.
pub(super) fn has_block(text: &str) -> bool {
    text.contains(BLOCK_START)
}

/// The script without our part.
pub(super) fn without_block(text: &str) -> String {
    let Some((before, rest)) = text.split_once(BLOCK_START) else { return text.to_owned() };
    let behind = rest.split_once(BLOCK_END).map_or("", |(_, behind)| behind);
    format!("{before}{}", behind.strip_prefix('\n').unwrap_or(behind))
}

/// The script with our part, put behind the opening comments: nothing of the script can end it before we are asked.
pub(super) fn with_block(text: &str, block: &str) -> String {
    let bare = without_block(text);
    let opening: usize = bare
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('#') || line.contains("husky.sh"))
        .map(str::len)
        .sum();
    let (head, rest) = bare.split_at(opening);
    let seam = if head.is_empty() || head.ends_with('\n') { "" } else { "\n" };
    format!("{head}{seam}{block}{rest}")
}

/// Whether a script is one for a shell, to which a part can be added.
pub(super) fn is_shell(text: &str) -> bool {
    let Some(interpreter) = text.lines().next().and_then(|line| line.strip_prefix("#!")) else {
        return !text.contains('\0');
    };
    let words = interpreter.split(|character: char| character == '/' || character.is_whitespace());
    words
        .filter(|word| !word.is_empty())
        .any(|word| matches!(word, "sh" | "bash" | "dash" | "ksh" | "zsh" | "ash" | "busybox"))
}

/// The program that a whole script of ours names.
pub(super) fn program_of(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("signleak='"))?;
    Some(line.strip_suffix('\'')?.replace("'\\''", "'"))
}

/// A word that the shell takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_goes_in_and_out_without_a_trace() {
        let script = "#!/bin/sh\n. \"$(dirname \"$0\")/_/husky.sh\"\nnpx lint-staged\n";
        let block = Script::of(HookName::PrePush, None).block();
        let with = with_block(script, &block);
        assert!(with.find("husky.sh") < with.find("hook run"));
        assert!(with.find("hook run") < with.find("lint-staged"));
        assert_eq!(with_block(&with, &block), with);
        assert_eq!(without_block(&with), script);
        assert_eq!(without_block(&with_block("", &block)), "");
    }

    #[test]
    fn the_program_is_read_back_from_the_script() {
        let program = "/opt/it's here/signleak";
        let script = Script::of(HookName::PreCommit, Some(program)).whole();
        assert_eq!(program_of(&script).as_deref(), Some(program));
        assert!(is_ours(&script) && is_shell(&script));
        assert!(!is_shell("#!/usr/bin/env python3\n"));
        assert!(is_shell("#!/usr/bin/env bash\n"));
    }
}
