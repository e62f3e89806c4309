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
    #[cfg(target_os = "linux")]
    if let Ok(file) = unnamed(&folder) {
        return Ok(through_unnamed(file, (&folder, place), write)?);
    }
    let mut file = NamedTempFile::new_in(&folder)
        .with_context(|| format!("cannot create a file in {}", folder.display()))?;
    write_all(file.as_file_mut(), write)?;
    file.as_file().sync_data()?;
    file.persist(place)?;
    Ok(())
}

/// A file in a folder that has no name there, for its owner alone. Not every file system has such files.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(libc::O_TMPFILE).open(folder)
}

/// Gives the file a name when it is whole, so that nothing stays of it if the process is killed before.
#[cfg(target_os = "linux")]
fn through_unnamed(
    mut file: File,
    (folder, place): (&Path, &Path),
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    use std::io::Seek as _;
    use std::os::fd::AsRawFd as _;
    write_all(&mut file, write)?;
    file.sync_data()?;
    let own = format!("/proc/self/fd/{}", file.as_raw_fd());
    let link = |name: &Path| {
        Ok(rustix::fs::linkat(
            rustix::fs::CWD,
            own.as_str(),
            rustix::fs::CWD,
            name,
            rustix::fs::AtFlags::SYMLINK_FOLLOW,
        )?)
    };
    let named = match tempfile::Builder::new().make_in(folder, link) {
        Ok(named) => named.into_temp_path(),
        // Without `/proc` it cannot be named.
        Err(_) => {
            let mut copy = NamedTempFile::new_in(folder)?;
            file.rewind()?;
            io::copy(&mut file, copy.as_file_mut())?;
            copy.as_file().sync_data()?;
            copy.into_temp_path()
        }
    };
    Ok(named.persist(place)?)
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

    /// A process that was killed while it wrote a report left a file with a part of it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_not_whole_has_no_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if unnamed(folder.path()).is_err() {
            println!("NOT TRIED: every file has a name here");
            return;
        }
        let path = folder.path().join("report");
        let files = || std::fs::read_dir(folder.path()).expect("readable").count();
        to_file(&path, |out| {
            out.write_all(b"half")?;
            out.flush()?;
            assert_eq!(files(), 0);
            out.write_all(b" and half")
        })
        .expect("written");
        assert_eq!(files(), 1);
        let written = super::super::input::read_capped(&path, 20).expect("readable");
        assert_eq!(written, b"half and half");
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
