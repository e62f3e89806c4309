//! Proves that library modules only depend on modules in lower layers, the ones drawn in `ARCHITECTURE.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Library modules, lowest layer first. Modules in one layer are independent.
const LAYERS: &[&[&str]] = &[
    &["http", "location", "secret", "sieve", "stop"],
    &["blob", "coverage"],
    &["provenance"],
    &["decode", "finding", "source"],
    &["report", "rule", "suppress"],
    &["detect", "validate"],
    &["check", "revoke", "scan"],
    &["fuzzing"],
];

/// Folders of `detect`, lowest layer first; its files stand above them.
const DETECT: &[&str] = &["search", "page", "verdict"];

/// Folders and files of `src` that belong to the binary, not the library.
const BINARY: &[&str] = &["cli", "lib", "main"];

#[test]
fn modules_only_depend_on_lower_layers() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut violations = vec![];
    for (depth, layer) in LAYERS.iter().enumerate() {
        for module in *layer {
            for file in rust_files(&src, module) {
                let text = read(&file);
                if text.contains("use crate::{") {
                    violations.push(format!("grouped import hides edges: {}", file.display()));
                }
                for upper in LAYERS[depth..].iter().flat_map(|layer| layer.iter()) {
                    if upper != module && mentions(&text, upper) {
                        violations.push(format!("{module} -> {upper}: {}", file.display()));
                    }
                }
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn detect_reads_a_page_before_it_judges() {
    let detect = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/detect");
    let mut violations = vec![];
    for (depth, folder) in DETECT.iter().enumerate() {
        let known = &DETECT[..=depth];
        for file in rust_files(&detect, folder) {
            let text = read(&file);
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in code.filter(|line| line.contains("detect::")) {
                let path = line.split("crate::detect::").nth(1).unwrap_or_default();
                let target = path.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                if !known.contains(&target) {
                    violations.push(format!("{}: {line}", file.display()));
                }
            }
            assert!(!text.contains("super::super::"), "{}", file.display());
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn every_module_has_a_layer() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let known: BTreeSet<&str> = LAYERS.iter().copied().flatten().chain(BINARY).copied().collect();
    for entry in fs::read_dir(src).expect("src is readable") {
        let path = entry.expect("entry is readable").path();
        let name = path.file_stem().expect("entry has a name").to_string_lossy();
        assert!(known.contains(&*name), "{name} has no layer");
    }
}

#[test]
fn files_stay_short() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let modules = LAYERS.iter().copied().flatten().chain(BINARY);
    for file in modules.flat_map(|module| rust_files(&src, module)) {
        let lines = read(&file).lines().take_while(|line| *line != "#[cfg(test)]").count();
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    }
}

/// Whether code in `text` names `crate::module`. Comments may point anywhere, so that docs can link upwards.
fn mentions(text: &str, module: &str) -> bool {
    let path = format!("crate::{module}");
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split(&path).skip(1))
        .any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The files of a top-level module, whether `name.rs` or `name/`.
fn rust_files(src: &Path, module: &str) -> Vec<PathBuf> {
    let mut files = vec![];
    let mut pending = vec![src.join(module), src.join(module).with_extension("rs")];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("module folder is readable");
            pending.extend(entries.map(|entry| entry.expect("entry is readable").path()));
        } else if path.extension().is_some_and(|ext| ext == "rs") && path.is_file() {
            files.push(path);
        }
    }
    files
}

#[expect(clippy::disallowed_methods, reason = "our own sources are small")]
fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("source is readable UTF-8")
}
