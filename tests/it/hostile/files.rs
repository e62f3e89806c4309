//! Hostile files: bombs, archives that lie, things that only look like files, folders that go on for ever, and files that
//! change while they are read.

use std::fs;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;

use super::Damage;
use super::Run;
use super::Scene;
use super::size;

/// Scans one hostile file beside the planted one.
fn with_file(name: &str, content: impl AsRef<[u8]>) -> Run {
    let scene = Scene::files();
    scene.write(name, content);
    scene.scan()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::best());
    encoder.write_all(bytes).expect("into memory");
    encoder.finish().expect("into memory")
}

fn gzip_of_zeros(count: u64) -> Vec<u8> {
    use std::io::Read as _;
    let mut encoder = GzEncoder::new(vec![], Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(count), &mut encoder).expect("into memory");
    encoder.finish().expect("into memory")
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, content) in members {
        archive.start_file(*name, options).expect("into memory");
        archive.write_all(content).expect("into memory");
    }
    archive.finish().expect("into memory").into_inner()
}

/// A tar archive whose only header is this one.
fn tar(name: &[u8], kind: u8, size: &[u8], content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name);
    header[100..107].copy_from_slice(b"0000644");
    header[124..124 + size.len()].copy_from_slice(size);
    header[136..147].copy_from_slice(b"00000000000");
    header[148..156].fill(b' ');
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = [&header[..], content].concat();
    bytes.resize(bytes.len().next_multiple_of(512) + 1024, 0);
    bytes
}

/// Scans a bomb: a release within the limits that hold by default, a build for debugging within smaller ones.
fn with_bomb(name: &str, content: impl AsRef<[u8]>) -> Run {
    let scene = Scene::files();
    scene.write(name, content);
    scene.scan_with(&["--max-expansion", if size(1, 0) == 1 { "256M" } else { "24M" }])
}

#[test]
fn a_gzip_bomb_is_cut_off() {
    let bomb = gzip_of_zeros((size(4_096, 512) as u64) << 20);
    with_bomb("bomb.gz", &bomb).finds_and_says("unpacks to more than the limit");
    // Some streams in a row, and twice packed.
    with_bomb("row.gz", bomb.repeat(4)).finds_and_says("unpacks to more than the limit");
    with_bomb("twice.gz", gzip(&bomb)).finds_and_says("unpacks to more than the limit");
}

#[test]
fn a_bomb_in_a_stream_is_cut_off() {
    use bzip2::write::BzEncoder;
    let mut encoder = BzEncoder::new(vec![], bzip2::Compression::best());
    encoder.write_all(&vec![0; 20 << 20]).expect("into memory");
    let stream = encoder.finish().expect("into memory");
    with_bomb("bomb.bz2", stream.repeat(size(500, 20))).finds_and_says("limit");
    // A frame of blocks that repeat one byte 128 KiB times.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    for _ in 0..size(100_000, 4_000) {
        frame.extend([0x02, 0x00, 0x10, b'x']);
    }
    with_bomb("bomb.zst", &frame).finds_and_says("limit");
}

#[test]
fn streams_that_claim_huge_windows_allocate_nothing_for_them() {
    // Windows of 2^41 bytes and more, contents of 2^64 bytes.
    for head in [
        vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff],
        vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8],
        vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0x7f],
    ] {
        let frame = [&head[..], &[0x02, 0x00, 0x10, b'x', 0x03, 0x00, 0x10, b'x']].concat();
        with_file("window.zst", frame).finds();
    }
    let mut xz = vec![];
    lzma_rs::xz_compress(&mut &b"nothing here"[..], &mut xz).expect("into memory");
    for at in 6..xz.len() {
        // Every byte of the headers wrong once.
        if at % 7 == 0 {
            let mut bad = xz.clone();
            bad[at] ^= 0xff;
            with_file("bad.xz", bad).finds();
        }
    }
}

#[test]
fn a_zip_bomb_is_cut_off() {
    let zeros = vec![0; size(64, 40) << 20];
    let members: Vec<(String, &[u8])> =
        (0..40).map(|number| (format!("{number}.txt"), &zeros[..])).collect();
    let members: Vec<(&str, &[u8])> =
        members.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    with_bomb("bomb.zip", zip(&members[..8])).finds_and_says("limit");
}

#[test]
fn archives_in_archives_are_followed_no_deeper_than_the_limit() {
    let mut nested = zip(&[("a.txt", b"nothing here")]);
    for _ in 0..30 {
        nested = zip(&[("inner.zip", &nested)]);
    }
    with_file("deep.zip", nested).finds_and_says("nest too deep");
    let mut nested = b"nothing here".repeat(30);
    for _ in 0..30 {
        nested = gzip(&nested);
    }
    with_file("deep.gz", nested).finds_and_says("nest too deep");
}

#[test]
fn an_archive_that_grows_with_each_level_is_cut_off() {
    let mut wide = zip(&[("a.txt", &b"nothing here\n".repeat(80_000))]);
    for _ in 0..4 {
        let names: Vec<String> = (0..16).map(|number| format!("{number}.zip")).collect();
        let members: Vec<(&str, &[u8])> =
            names.iter().map(|name| (name.as_str(), wide.as_slice())).collect();
        wide = zip(&members);
    }
    with_bomb("wide.zip", wide).finds_and_says("limit");
}

#[test]
fn too_many_members_are_cut_off() {
    let names: Vec<String> = (0..120_000).map(|number| format!("{number}")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, _) in &members {
        archive.start_file(*name, options).expect("into memory");
    }
    let bytes = archive.finish().expect("into memory").into_inner();
    with_file("many.zip", bytes).finds_and_says("holds more than the limit");
}

#[test]
fn members_that_overlap_are_read_within_the_limits() {
    // All 2,000 entries of the directory name the same member.
    let one = zip(&[("a.txt", &b"nothing here\n".repeat(100_000))]);
    let end = one.len() - 22;
    let directory = u32::from_le_bytes(one[end + 16..end + 20].try_into().expect("four")) as usize;
    let entry = one[directory..end].to_vec();
    let mut bytes = one[..directory].to_vec();
    bytes.extend(entry.repeat(2_000));
    let mut tail = one[end..].to_vec();
    tail[8..10].copy_from_slice(&2_000_u16.to_le_bytes());
    tail[10..12].copy_from_slice(&2_000_u16.to_le_bytes());
    tail[12..16].copy_from_slice(&(entry.len() as u32 * 2_000).to_le_bytes());
    bytes.extend(tail);
    with_file("overlap.zip", bytes).finds();
}

#[test]
fn zips_that_lie_lose_no_planted_key() {
    let good = zip(&[("a.txt", &b"nothing here\n".repeat(10)), ("b.txt", b"x")]);
    for at in (0..good.len()).step_by(9) {
        let mut bad = good.clone();
        let end = (at + 4).min(bad.len());
        bad[at..end].fill(0xff);
        with_file("bad.zip", bad).finds();
    }
    for cut in [5, 30, 60, good.len() - 1] {
        with_file("cut.zip", &good[..cut]).finds_and_says("cannot be unpacked whole");
    }
}

#[test]
fn names_of_members_lead_nowhere() {
    for name in [
        "../../../../tmp/signleak-slip.env",
        "/tmp/signleak-slip.env",
        "..\\..\\signleak-slip.env",
        "C:\\signleak-slip.env",
        "a/../../b.env",
        "\u{1b}]0;x\u{7}.env",
        "\u{202e}vne.env",
        "-o",
        "",
    ] {
        let scene = Scene::files();
        let secret = format!("YOUSIGN_API_KEY={}\n", scene.key);
        scene.write("slip.zip", zip(&[(name, secret.as_bytes())]));
        let run = scene.scan();
        run.finds_all();
        assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{202e}'));
        assert!(!fs::exists("/tmp/signleak-slip.env").expect("answers"));
        assert!(!scene.outside("signleak-slip.env").exists());
        let tar = tar(name.as_bytes(), b'0', b"00000000060\0", secret.as_bytes());
        let scene = Scene::files();
        scene.write("slip.tar", tar);
        scene.scan().finds();
        assert!(!fs::exists("/tmp/signleak-slip.env").expect("answers"));
    }
}

#[test]
fn tars_that_lie_lose_no_planted_key() {
    for (kind, size) in [
        (b'0', &b"77777777777\0"[..]),
        (b'0', b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"),
        (b'0', b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        (b'0', b"garbage"),
        (b'L', b"77777777777\0"),
        (b'K', b"77777777777\0"),
        (b'x', b"77777777777\0"),
        (b'g', b"77777777777\0"),
        (b'S', b"77777777777\0"),
        (b'1', b"00000000000\0"),
        (b'2', b"00000000000\0"),
        (b'3', b"00000000000\0"),
        (b'6', b"00000000000\0"),
        (b'Z', b"00000000014\0"),
    ] {
        with_file("bad.tar", tar(b"a.txt", kind, size, b"nothing here")).finds();
    }
}

#[test]
fn a_long_text_of_one_character_ends() {
    for text in [
        "a",
        "A",
        "0",
        "=",
        "\\",
        "%25",
        "&#",
        "&amp;",
        "\"",
        "'",
        "+",
        "{",
        "[",
        "(",
        "<",
        " ",
        "\n",
        "\r",
        "\t",
        "\0",
        "\\u",
        "\\x41",
        "=3D",
        "yousign",
        "yousign_api_key=",
        "é",
        "\u{feff}",
        "a+",
        "'a'+",
        "QUFB",
        "41",
        "*a ",
        "&a ",
        "- ",
        "#",
        "//",
        ":",
        ",",
        ".",
        "%",
        "\\\\",
        "0x41,",
    ] {
        let text = text.repeat((size(2_048, 256) << 10) / text.len());
        for name in ["long.txt", "long.json", "yousign.env"] {
            let scene = Scene::files();
            scene.write(name, &text);
            if name == "long.json" {
                scene.write(name, format!("yousign {text} yousign_api_key = {text}"));
            }
            scene.scan().finds();
        }
    }
}

#[test]
fn a_line_of_many_megabytes_ends() {
    let scene = Scene::files();
    let mut text = b"x".repeat(size(100, 10) << 20);
    text.extend(b" yousign_api_key = ");
    scene.write("line.txt", &text);
    scene.scan().finds();
}

#[test]
fn a_text_that_is_all_matches_ends() {
    let scene = Scene::files();
    scene.write("matches.txt", "yousign\n".repeat(size(10_000_000, 200_000)));
    scene.scan().finds();
}

#[test]
fn a_text_with_thousands_of_keys_ends() {
    let scene = Scene::files();
    let text: String = (0..size(20_000, 2_000))
        .map(|_| format!("YOUSIGN_API_KEY={}\n", crate::support::key()))
        .collect();
    scene.write("keys.env", text);
    scene.scan().finds_all();
}

/// What is followed from a value to elsewhere in its file: the constant of a URL, a resource, the part that it stands in.
#[test]
fn a_text_with_thousands_of_values_that_refer_elsewhere_ends() {
    type Line = fn(usize, String) -> String;
    let texts: [(&str, Line); 6] = [
        ("calls.ts", |_, key| {
            format!("fetch(`${{CRM}}/a`, {{ headers: {{ authorization: 'Bearer {key}' }} }});\n")
        }),
        ("main.tf", |at, key| {
            format!(
                "resource \"kind\" \"s{at}\" {{\n  id = other.s{at}.id\n  secret = \"{key}\"\n}}\n"
            )
        }),
        ("all.yml", |at, key| {
            format!("---\nkind: Secret\nmetadata:\n  name: acme{at}\ndata:\n  token: {key}\n")
        }),
        ("anchors.yml", |at, key| format!("k{at}: &k{at} {key}\n")),
        ("all.rest", |at, key| format!("GET {{{{v{at}}}}}/users\nAuthorization: Bearer {key}\n\n")),
        ("bundle.js", |at, key| {
            format!("const k{at}='{key}';f(`Bearer ${{k{at}}}`,{{authorization:k{at}}});")
        }),
    ];
    for (name, line) in texts {
        let scene = Scene::files();
        let lines = (0..size(40_000, 2_000)).map(|at| line(at, crate::support::key()));
        scene.write(name, format!("# yousign\n{}", lines.collect::<String>()));
        scene.scan().finds();
    }
}

#[test]
fn things_that_are_no_files_are_not_opened() {
    let make: [(&str, Damage); 5] = [
        ("FIFO", |scene| scene.fifo("pipe.env")),
        ("socket", |scene| {
            drop(std::os::unix::net::UnixListener::bind(scene.path("socket")).expect("bound"));
        }),
        ("link", |scene| scene.link("zero", "/dev/zero")),
        ("loop", |scene| scene.link("loop", "loop")),
        ("folder", |scene| scene.link("up", "..")),
    ];
    for (name, make) in make {
        let scene = Scene::files();
        make(&scene);
        let run = scene.scan();
        run.finds();
        if ["FIFO", "socket"].contains(&name) {
            run.says("was not opened");
        }
    }
}

#[test]
fn targets_that_are_no_files_are_named() {
    let scene = Scene::files();
    scene.fifo("../pipe");
    scene.link("../zero", "/dev/zero");
    scene.link("../loop", "loop");
    for target in ["pipe", "zero", "/dev/zero", "/dev/null", "/dev/tty"] {
        scene.run(&["scan", "t", target, "--format", "json"]).finds_and_says("was not opened");
    }
    for target in ["loop", "missing", "t/beside.env/x", "\u{1b}[2J"] {
        let run = scene.run(&["scan", "t", target, "--format", "json"]);
        run.exits(2).says(if target == "loop" {
            "levels of symbolic links"
        } else {
            "no such file"
        });
        assert!(!run.said().contains('\u{1b}'));
    }
    // These look like files of no size and go on for ever, or cannot be read.
    for target in ["/proc/self/mem", "/proc/self/environ", "/proc/kmsg"] {
        let run = scene.run(&["scan", "t", target, "--no-history", "--format", "json"]);
        run.finds();
    }
}

#[test]
fn links_lead_nowhere() {
    let scene = Scene::files();
    let other = crate::support::key();
    fs::create_dir(scene.outside("secret")).expect("made");
    fs::write(scene.outside("secret/.env"), format!("YOUSIGN_API_KEY={other}\n")).expect("written");
    for (name, to) in [
        ("folder", "../secret"),
        ("file.env", "../secret/.env"),
        ("root", "/"),
        ("a/b", ".."),
        ("a/c", "../../t"),
    ] {
        scene.link(name, to);
    }
    let run = scene.scan();
    assert_eq!(run.finds().report()["summary"]["findings"], 1, "{}", run.said());
    assert!(!run.said().contains(&super::sha256(&other)));
}

#[test]
fn a_sparse_file_of_a_terabyte_ends() {
    for text in ["", "YOUSIGN"] {
        let scene = Scene::files();
        let file = File::create(scene.path("sparse")).expect("made");
        file.write_all_at(text.as_bytes(), 0).expect("written");
        file.set_len(1 << 40).expect("sparse");
        scene.scan().finds();
    }
}

#[test]
fn a_key_behind_a_hole_of_a_terabyte_is_found() {
    let scene = Scene::files();
    let other = crate::support::key();
    let file = File::create(scene.path("sparse")).expect("made");
    let text = format!("\nYOUSIGN_API_KEY={other}\n");
    file.write_all_at(text.as_bytes(), (1 << 40) - 100).expect("written");
    let run = scene.scan();
    run.finds_all();
    assert!(run.said().contains(&super::sha256(&other)), "{}", run.said());
}

#[test]
fn names_drive_nothing_and_hide_nothing() {
    for name in [
        &b"\x1b]0;title\x07.env"[..],
        b"\x1b[2J.env",
        b"a\nb.env",
        b"a\r::error::b.env",
        b"%0A::error::x.env",
        b"\xff\xfe\xfd.env",
        "\u{202e}vne.env".as_bytes(),
        "\u{200b}.env".as_bytes(),
        b"-o",
        b"--help",
        b"--no-history",
        b"=cmd|' C calc'!A0",
        b"<img src=x onerror=alert(1)>",
        b"' onerror='x",
        b"CON",
        b"a:b*c?d",
        &[b'n'; 255],
    ] {
        let scene = Scene::files();
        let path = scene.path("d").join(std::ffi::OsStr::from_bytes(name));
        fs::create_dir(scene.path("d")).expect("made");
        fs::write(&path, format!("YOUSIGN_API_KEY={}\n", scene.key)).expect("written");
        let run = scene.scan();
        let places = run.finds_all().report()["findings"][0]["occurrences"].clone();
        assert_eq!(places.as_array().map(Vec::len), Some(2), "{name:?}: {places}");
        assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{202e}'));
    }
}

#[test]
fn folders_in_folders_end() {
    let scene = Scene::files();
    // Deeper than a path may be long: what is there already is moved below a further hundred folders.
    let below = "ddd/".repeat(100);
    for _ in 0..25 {
        fs::create_dir_all(scene.path("next").join(&below)).expect("made");
        let deepest = scene.path("next").join(&below).join("ddd");
        drop(fs::rename(scene.path("ddd"), deepest));
        fs::rename(scene.path("next"), scene.path("ddd")).expect("moved");
    }
    scene.scan().finds_and_says("name too long");
}

#[test]
fn ignore_files_that_are_no_files_do_not_hang() {
    for name in [".gitignore", ".ignore", "sub/.gitignore", ".git/info/exclude", ".rgignore"] {
        let make: [fn(&Scene, &str); 3] = [
            |scene, name| scene.fifo(name),
            |scene, name| scene.link(name, "/dev/zero"),
            |scene, name| fs::create_dir_all(scene.path(name)).expect("made"),
        ];
        for make in make {
            let scene = Scene::files();
            scene.git(&["init", "-q"]);
            scene.write("sub/x", "x");
            drop(fs::remove_file(scene.path(name)));
            make(&scene, name);
            scene.scan_with(&["--no-history"]).finds();
        }
    }
}

#[test]
fn ignore_files_do_not_reach_out_of_the_target() {
    // What the link names is not read, so that it ignores nothing.
    let scene = Scene::files();
    scene.git(&["init", "-q"]);
    fs::write(scene.outside("patterns"), "*\n").expect("written");
    scene.link(".gitignore", "../patterns");
    scene.scan_with(&["--no-history"]).finds();
}

#[test]
fn ignore_files_that_are_long_or_costly_end() {
    for text in [
        "*a".repeat(2_000) + "b\n",
        "**/".repeat(5_000) + "b\n",
        "[a-".repeat(10_000) + "\n",
        "{a,".repeat(5_000) + "\n",
        "a\\".repeat(50_000) + "\n",
        "x*y*z*\n".repeat(20_000),
        "\0\u{1b}[2J\n".repeat(1_000),
    ] {
        let scene = Scene::files();
        scene.git(&["init", "-q"]);
        scene.write(".gitignore", &text).write(&"a".repeat(250), "x");
        scene.scan_with(&["--no-history"]).finds();
    }
}

#[test]
fn files_of_ours_that_are_no_files_do_not_hang() {
    for name in [
        ".signleakignore",
        ".signleak.toml",
        ".gitleaksignore",
        ".secrets.baseline",
        ".betterleaksignore",
    ] {
        let make: [fn(&Scene, &str); 3] = [
            |scene, name| scene.fifo(name),
            |scene, name| scene.link(name, "/dev/zero"),
            |scene, name| fs::create_dir_all(scene.path(name)).expect("made"),
        ];
        for make in make {
            let scene = Scene::files();
            make(&scene, name);
            scene.scan().finds();
        }
    }
}

#[test]
fn files_of_ours_that_are_garbage_are_errors_that_name_them() {
    for (name, text) in [
        (".signleakignore", "\u{1b}[2J\n"),
        (".signleakignore", "sha256:zz\n"),
        (".signleak.toml", "threads = 0\n"),
        (".signleak.toml", "[[[[\n"),
        (".signleak.toml", "threads = 99999999999999999999\n"),
        (".signleak.toml", "rules = \"../../outside.toml\"\n"),
        (".signleak.toml", "baseline = \"/etc/passwd\"\n"),
        (".signleak.toml", "unknown = 1\n"),
    ] {
        let scene = Scene::files();
        scene.write(name, text);
        let run = scene.scan();
        run.exits(2).says(name);
        assert!(!run.said().contains('\u{1b}'), "{}", run.said());
        scene.scan_with(&["--no-repo-config"]).finds();
    }
    let deep = format!("a = {}", "[".repeat(100_000));
    let scene = Scene::files();
    scene.write(".signleak.toml", deep);
    scene.scan().exits(2).says(".signleak.toml");
}

/// Scans while `change` runs again and again.
fn while_changing(scene: &Scene, change: impl Fn(usize) + Sync) -> Run {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut round = 0;
            while !done.load(Ordering::Relaxed) {
                change(round);
                round += 1;
            }
        });
        let run = scene.scan();
        done.store(true, Ordering::Relaxed);
        worker.join().expect("no panic");
        run
    })
}

#[test]
fn files_that_are_cut_short_and_grow_while_they_are_read_end() {
    let scene = Scene::files();
    for number in 0..20 {
        scene.write(&format!("{number}.txt"), "yousign = 1\n".repeat(100_000));
    }
    let run = while_changing(&scene, |round| {
        let file =
            fs::OpenOptions::new().write(true).open(scene.path(&format!("{}.txt", round % 20)));
        file.and_then(|file| file.set_len((round as u64 * 7919) % (2 << 20))).expect("it is there");
    });
    run.finds();
}

#[test]
fn files_that_become_fifos_links_and_folders_end() {
    let scene = Scene::files();
    for number in 0..2_000 {
        scene.write(&format!("d/{number:04}"), "x");
    }
    fs::write(scene.outside("target"), "YOUSIGN").expect("written");
    let run = while_changing(&scene, |round| {
        let name = format!("d/{:04}", 1_999 - round % 2_000);
        let path = scene.path(&name);
        if fs::remove_file(&path).is_ok() {
            match round % 3 {
                0 => scene.fifo(&name),
                1 => scene.link(&name, "/dev/zero"),
                _ => drop(fs::create_dir(&path)),
            }
        }
    });
    run.finds();
}

#[test]
fn packs_that_are_cut_short_while_they_are_read_end() {
    let scene = Scene::repo();
    let text = |number: usize| format!("yousign {number} {}", "nothing here ".repeat(number));
    for number in 0..3_000 {
        scene.write(&format!("d/{number}.txt"), text(number));
    }
    scene.git(&["add", "."]);
    scene.git(&["commit", "-qm", "many"]);
    scene.git(&["-c", "pack.window=0", "repack", "-qad"]);
    let folder = fs::read_dir(scene.path(".git/objects/pack")).expect("there");
    let paths: Vec<_> = folder.map(|entry| entry.expect("there").path()).collect();
    let pack = paths.iter().find(|path| path.extension().is_some_and(|end| end == "pack"));
    let pack = pack.expect("a pack");
    drop(fs::remove_dir_all(scene.path("d")));
    scene.write("beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
    for millis in [5, 10, 15, 20, 30, 40, 60, 80, 120, 200] {
        let whole = scene.outside("whole");
        fs::copy(pack, &whole).expect("copied");
        let run = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(millis));
                let file = fs::OpenOptions::new().write(true).open(pack).expect("it is there");
                file.set_len(5_000).expect("cut");
            });
            scene.scan()
        });
        run.finds();
        fs::remove_file(pack).expect("there");
        fs::copy(&whole, pack).expect("copied");
    }
}
