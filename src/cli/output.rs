//! Where a report goes: standard output, or a file that appears whole or not at all.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use tempfile::NamedTempFile;

/// Opens `path`, hands the file to `write`, and puts it in place.
///
/// A regular file is written beside its place, readable by its owner only, and renamed over it; a symbolic link is
/// followed. Whatever else the path names (`/dev/stdout`, a FIFO) is written into and never replaced.
pub(crate) fn to_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    let name = path.display();
    if path.is_symlink() && !path.exists() {
        anyhow::bail!(
            "cannot write to {name}: it is a link that leads nowhere; name the file itself"
        );
    }
    let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match std::fs::metadata(&place) {
        Ok(metadata) if metadata.is_dir() => {
            anyhow::bail!("cannot write to {name}: it is a folder; name a file in it")
        }
        Ok(metadata) if !metadata.is_file() => {
            let mut file = OpenOptions::new()
                .write(true)
                .open(path)
                .with_context(|| format!("cannot write to {name}"))?;
            write_all(&mut file, write).with_context(|| format!("cannot write to {name}"))
        }
        _ => replace(&place, write).with_context(|| format!("cannot write {name}")),
    }
}

/// Writes a file that is new and that its owner alone can read: nothing is overwritten, and no link is followed.
pub(crate) fn private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            anyhow::anyhow!("it is there already, and is not overwritten; name a new file")
        }
        _ => error.into(),
    })?;
    let written = file.write_all(bytes).and_then(|()| file.sync_data());
    if written.is_err() {
        drop(std::fs::remove_file(path));
    }
    Ok(written?)
}

/// Adds what `write` writes to the end of a file.
pub(crate) fn append(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    let open = OpenOptions::new().append(true).create(true).open(path);
    open.and_then(|mut file| write_all(&mut file, write))
        .with_context(|| format!("cannot write to {}", path.display()))
}

fn replace(
    place: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    let folder = match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    if !folder.is_dir() {
        anyhow::bail!("there is no folder {}; create it first (mkdir -p)", folder.display());
    }
    let mut file = NamedTempFile::new_in(&folder)
        .with_context(|| format!("cannot create a file in {}", folder.display()))?;
    write_all(file.as_file_mut(), write)?;
    file.as_file().sync_data()?;
    file.persist(place)?;
    Ok(())
}

fn write_all(
    file: &mut File,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffered = io::BufWriter::new(file);
    let written = write(&mut buffered).and_then(|()| buffered.flush());
    written.map_err(|error| match error.kind() {
        // Of standard output this would be no error.
        io::ErrorKind::BrokenPipe => io::Error::other("its reader has gone away"),
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) -> anyhow::Result<()> {
        to_file(path, |out| out.write_all(text.as_bytes()))
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("report");
        write(&path, "old").expect("written");
        let failed = to_file(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 1);
        assert_eq!(super::super::input::read_capped(&path, 10).expect("readable"), b"old");
    }

    #[cfg(unix)]
    #[test]
    fn files_are_private_links_are_followed_and_devices_are_kept() {
        use std::os::unix::fs::FileTypeExt as _;
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, link) = (folder.path().join("report"), folder.path().join("link"));
        write(&path, "a").expect("written");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        write(&link, "b").expect("written");
        assert!(std::fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        write(Path::new("/dev/null"), "x").expect("written");
        assert!(std::fs::metadata("/dev/null").expect("there").file_type().is_char_device());
        let error = format!(
            "{:#}",
            write(&folder.path().join("missing/report"), "x").expect_err("no folder")
        );
        assert!(error.contains("mkdir -p"), "{error}");
    }
}
