//! Hostile repositories: packs, objects, refs, folders and configuration that lie.

use std::fs;

use super::Damage;
use super::Run;
use super::Scene;
use super::packs::*;
use super::size;

/// A word that the sieve lets through.
const WORD: &[u8] = b"yousign_api_key = ";

/// Scans the history beside a hostile pack, and again with a word in it that makes every object be looked at.
fn with_pack(build: impl Fn(&mut Pack, Base)) -> Vec<Run> {
    let mut runs = vec![];
    for word in [&b""[..], WORD] {
        let scene = Scene::repo();
        let mut pack = Pack::new();
        let content = [word, &b"nothing here\n".repeat(40)].concat();
        let id = made_up(1);
        let base = Base { id, at: pack.whole_as(id, BLOB, &content), len: content.len() as u64 };
        build(&mut pack, base);
        pack.write(&scene.path(".git"));
        runs.push(scene.scan());
    }
    runs
}

/// The good entry at the beginning of a hostile pack.
#[derive(Clone, Copy)]
struct Base {
    id: Id,
    at: u64,
    len: u64,
}

fn all_say(runs: &[Run], part: &str) {
    for run in runs {
        run.finds_and_says(part);
    }
}

/// A delta that changes nothing.
fn same(len: u64) -> Vec<u8> {
    delta(len, len, &copy(0, len as u32))
}

#[test]
fn deltas_that_go_round_in_a_circle_are_named() {
    for count in [1, 2, 3, 1_000] {
        let runs = with_pack(|pack, base| {
            for at in 0..count {
                let next = made_up(100 + (at + 1) % count);
                pack.id_delta(made_up(100 + at), next, &same(base.len));
            }
        });
        all_say(&runs, "delta base is missing");
    }
}

#[test]
fn a_missing_delta_base_is_named() {
    all_say(
        &with_pack(|pack, base| {
            pack.id_delta(made_up(2), made_up(99), &same(base.len));
        }),
        "delta base is missing",
    );
}

#[test]
fn distances_to_nowhere_are_named() {
    // Before the pack, into an entry, to itself, and too long a number.
    for (back, part) in [
        (distance(1 << 40), "entry header is damaged"),
        (distance(3), "delta base is missing"),
        (distance(0), "entry header is damaged"),
        (vec![0xff; 30], "entry header is damaged"),
        (vec![], "damaged"),
    ] {
        let runs = with_pack(|pack, base| {
            let delta = same(base.len);
            let raw = entry(6, delta.len() as u64, &back, &deflate(&delta));
            pack.raw(made_up(2), &raw);
        });
        all_say(&runs, part);
    }
}

#[test]
fn sizes_that_lie_are_named_and_nothing_is_allocated_for_them() {
    for (size, part) in [
        (5, "compressed bytes are damaged"),
        (19, "compressed bytes are damaged"),
        (1 << 32, "which is more than fits"),
        ((1 << 32) + 1, "which is more than fits"),
        (1 << 56, "which is more than fits"),
        (1 << 60, "header is damaged"),
        (u64::MAX, "is damaged"),
    ] {
        let runs = with_pack(|pack, _| {
            pack.raw(made_up(2), &entry(BLOB, size, &[], &deflate(b"eighteen bytes....")));
        });
        all_say(&runs, part);
    }
    let endless = [&[0xbf][..], &[0xff; 40]].concat();
    let runs = with_pack(|pack, _| {
        pack.raw(made_up(2), &endless);
    });
    all_say(&runs, "header is damaged");
}

#[test]
fn kinds_that_do_not_exist_and_bytes_that_are_not_compressed_are_named() {
    for kind in [0, 5] {
        let runs = with_pack(|pack, _| {
            pack.raw(made_up(2), &entry(kind, 4, &[], &deflate(b"1234")));
        });
        all_say(&runs, "header is damaged");
    }
    for compressed in [&b""[..], b"x", &[0x78, 0x9c], &[0xff; 64]] {
        let runs = with_pack(|pack, _| {
            pack.raw(made_up(2), &entry(BLOB, 4, &[], compressed));
        });
        let part = if compressed.is_empty() { "more than fits" } else { "bytes are damaged" };
        all_say(&runs, part);
    }
}

#[test]
fn deltas_that_lie_are_named() {
    type Build = fn(u64) -> Vec<u8>;
    let cases: [(&str, Build); 12] = [
        ("base size", |len| delta(len + 1, 4, &insert(b"1234"))),
        ("object size", |len| delta(len, 5, &insert(b"1234"))),
        ("huge object", |len| delta(len, 1 << 62, &insert(b"1234"))),
        ("copy behind the end", |len| delta(len, 100, &copy(len as u32 - 50, 100))),
        ("copy far outside", |len| delta(len, 100, &copy(u32::MAX, 100))),
        ("reserved", |len| delta(len, 4, &[0])),
        ("cut copy", |len| delta(len, 4, &[0xff, 1, 2])),
        ("cut insert", |len| delta(len, 4, &[4, 1, 2])),
        ("no instructions", |len| delta(len, 4, &[])),
        ("too much", |len| delta(len, 4, &[insert(b"1234"), copy(0, 16)].concat())),
        ("endless size", |_| vec![0xff; 30]),
        ("empty", |_| vec![]),
    ];
    for (name, build) in cases {
        let runs = with_pack(|pack, base| {
            pack.delta(made_up(2), base.at, &build(base.len));
        });
        for run in runs {
            let told = run.finds().said();
            let parts = ["delta is damaged", "which is more than fits"];
            assert!(parts.iter().any(|part| told.contains(part)), "{name}: {told}");
        }
    }
}

#[test]
fn index_entries_that_point_nowhere_or_into_each_other_are_named() {
    for (offset, part) in [
        (0, "damaged"),
        (5, "damaged"),
        (15, "damaged"),
        (1 << 20, "outside of the pack"),
        (1 << 31, "outside of the pack"),
        (u64::MAX, "outside of the pack"),
        (u64::MAX - 7, "outside of the pack"),
    ] {
        let runs = with_pack(|pack, _| pack.index.push((made_up(2), offset)));
        all_say(&runs, part);
    }
}

#[test]
fn two_names_for_one_entry_cost_nothing() {
    for run in with_pack(|pack, base| pack.index.push((made_up(2), base.at))) {
        run.finds();
    }
}

/// What is done to the bytes of a file.
type Change = fn(&mut Vec<u8>);

/// Changes the bytes of pack and index before they are written.
fn with_files(change: impl Fn(&mut Vec<u8>, &mut Vec<u8>)) -> Run {
    let scene = Scene::repo();
    let mut good = Pack::new();
    for number in 0..20_u32 {
        good.whole(BLOB, format!("blob {number}").as_bytes());
    }
    let (mut pack, mut index) = good.files();
    change(&mut pack, &mut index);
    put(&scene.path(".git/objects/pack/pack-bad.pack"), &pack);
    put(&scene.path(".git/objects/pack/pack-bad.idx"), &index);
    scene.scan()
}

#[test]
fn indexes_that_lie_are_named() {
    let cases: [(&str, Change); 10] = [
        ("cut short or its table", |index| index.clear()),
        ("cut short or its table", |index| index.truncate(100)),
        ("cut short or its table", |index| index.truncate(1_100)),
        ("cut short or its table", |index| index[8..12].copy_from_slice(&[0xff; 4])),
        ("cut short or its table", |index| index[1028..1032].copy_from_slice(&[0xff; 4])),
        ("cut short or its table", |index| index[8..1032].fill(0xff)),
        ("version 9", |index| index[7] = 9),
        ("cut short or its table", |index| index[0] = 0),
        ("cut short or its table", |index| index.fill(0xff)),
        ("does not end with the checksum", |index| {
            let end = index.len();
            index[end - 40..].fill(7);
        }),
    ];
    for (part, change) in cases {
        with_files(|_, index| change(index)).finds_and_says(part);
    }
}

#[test]
fn ids_out_of_order_lose_no_planted_key() {
    with_files(|_, index| index[1032..1432].reverse()).finds();
    with_files(|_, index| index[1032..1432].fill(0)).finds();
}

#[test]
fn packs_that_are_none_are_named() {
    let cases: [(&str, Change); 6] = [
        ("not a pack of version", |pack| pack.clear()),
        ("not a pack of version", |pack| pack.truncate(3)),
        ("not a pack of version", |pack| pack[7] = 9),
        ("not a pack of version", |pack| pack[0] = 0),
        ("checksum", |pack| pack.truncate(12)),
        ("damaged", |pack| pack[12..].fill(0xff)),
    ];
    for (part, change) in cases {
        with_files(|pack, _| change(pack)).finds_and_says(part);
    }
    // What the header counts is not asked for anything.
    with_files(|pack, _| pack[8..12].fill(0xff)).finds();
}

#[test]
fn packs_and_indexes_that_are_no_files_are_named() {
    for name in ["pack-bad.pack", "pack-bad.idx"] {
        let make: [fn(&Scene, &str); 4] = [
            |scene, name| scene.fifo(name),
            |scene, name| scene.link(name, "/dev/zero"),
            |scene, name| scene.link(name, name),
            |scene, name| {
                fs::remove_file(scene.path(name)).expect("it was there");
                fs::create_dir(scene.path(name)).expect("made");
            },
        ];
        for make in make {
            let scene = Scene::repo();
            let mut pack = Pack::new();
            pack.whole(BLOB, b"x");
            pack.write(&scene.path(".git"));
            make(&scene, &format!(".git/objects/pack/{name}"));
            scene.scan().finds_and_says("cannot map");
        }
    }
}

#[test]
fn a_chain_of_deltas_of_any_depth_is_read() {
    for run in with_pack(|pack, base| {
        let mut at = base.at;
        for number in 0..size(100_000, 10_000) as u32 {
            at = pack.delta(made_up(10 + number), at, &same(base.len));
        }
    }) {
        run.finds_all();
    }
}

#[test]
fn a_chain_of_deltas_that_stands_backwards_is_read() {
    for run in with_pack(|pack, base| {
        for number in 0..size(10_000, 5_000) as u32 {
            pack.id_delta(made_up(10 + number), made_up(11 + number), &same(base.len));
        }
        pack.id_delta(made_up(10 + size(10_000, 5_000) as u32), base.id, &same(base.len));
    }) {
        run.finds_all();
    }
}

#[test]
fn a_delta_bomb_is_not_built() {
    // Each delta makes sixteen times as much of the one before.
    for run in with_pack(|pack, base| {
        let (mut at, mut len) = (base.at, base.len);
        for number in 0..12 {
            let more = (len * 16).min(4 << 30);
            let times = (more / len).max(1);
            let steps = copy(0, (len as u32).min(0xff_ffff));
            let made = times * len.min(0xff_ffff);
            at = pack.delta(
                made_up(10 + number),
                at,
                &delta(len, made, &steps.repeat(times as usize)),
            );
            len = made;
        }
    }) {
        run.finds_and_says("more than");
    }
}

/// A pack of deltas that make a few gigabytes, or many in full size; `base` is what they repeat.
fn wide_bomb(base: &[u8]) -> Scene {
    let scene = Scene::repo();
    let mut pack = Pack::new();
    let at = pack.whole_as(made_up(1), BLOB, base);
    let times = ((size(64, 8) as u64) << 20) / base.len() as u64;
    let len = times * base.len() as u64;
    let steps = copy(0, base.len() as u32).repeat(times as usize);
    let large = pack.delta(made_up(2), at, &delta(base.len() as u64, len, &steps));
    for number in 0..size(2_000, 60) as u32 {
        pack.delta(made_up(10 + number), large, &same_large(len, number));
    }
    pack.write(&scene.path(".git"));
    scene
}

#[test]
fn many_deltas_of_one_base_that_make_terabytes_are_not_built() {
    let base = b"nothing here\n".repeat(10_000);
    wide_bomb(&base).scan().finds_all();
    let base = [WORD, &base].concat();
    wide_bomb(&base).scan_with(&["--timeout", "4s"]).finds_and_says("\"limit\"");
}

#[test]
fn a_bomb_of_matches_ends_at_the_timeout() {
    let base = [WORD, b"nothing here\n"].concat().repeat(20);
    wide_bomb(&base).scan_with(&["--timeout", "2s"]).finds_and_says("was stopped");
}

/// A delta that copies all of a large base and adds a number.
fn same_large(len: u64, number: u32) -> Vec<u8> {
    let mut steps = vec![];
    let mut at = 0;
    while at < len {
        let piece = (len - at).min(0xff_ffff);
        steps.extend(copy(at as u32, piece as u32));
        at += piece;
    }
    steps.extend(insert(&number.to_be_bytes()));
    delta(len, len + 4, &steps)
}

#[test]
fn a_blob_of_gigabytes_of_nothing_does_not_cost_them() {
    for before in [&b""[..], WORD] {
        let scene = Scene::repo();
        let mut pack = Pack::new();
        let size = (size(2_048, 40) as u64) << 20;
        let zeros = deflated_zeros(before, size - before.len() as u64);
        pack.raw(made_up(2), &entry(BLOB, size, &[], &zeros));
        pack.write(&scene.path(".git"));
        scene.scan().finds();
    }
}

#[test]
fn loose_objects_that_lie_are_named() {
    for (content, part) in [
        (deflate(b"blob 18446744073709551615\0x"), "damaged"),
        (deflate(b"blob 5\0four"), "damaged"),
        (deflate(b"blob 3\0four"), "damaged"),
        (deflate(b"blob -1\0x"), "damaged"),
        (deflate(b"blob 1"), "damaged"),
        (deflate(b"blub 1\0x"), "damaged"),
        (deflate(b""), "damaged"),
        (deflate(&b"blob ".repeat(4_000)), "damaged"),
        (vec![], "damaged"),
        (vec![0; 100_000], "damaged"),
        (deflated_zeros(b"blob 99999999999\0", 100 << 20), "more than fits"),
        (deflated_zeros(b"blob 5\0", 60 << 20), "damaged"),
    ] {
        let scene = Scene::repo();
        loose(&scene.path(".git"), made_up(2), &content);
        scene.scan().finds_and_says(part);
    }
}

#[test]
fn loose_objects_that_are_no_files_are_named() {
    let hex = hex(&made_up(2));
    let name = format!(".git/objects/{}/{}", &hex[..2], &hex[2..]);
    let make: [fn(&Scene, &str); 4] = [
        |scene, name| scene.fifo(name),
        |scene, name| scene.link(name, "/dev/zero"),
        |scene, name| scene.link(name, name),
        |scene, name| fs::create_dir_all(scene.path(name)).expect("made"),
    ];
    for make in make {
        let scene = Scene::repo();
        make(&scene, &name);
        scene.scan().finds_and_says("git object not scanned");
    }
}

#[test]
fn a_loose_bomb_does_not_cost_its_size() {
    for before in [&b""[..], WORD] {
        let scene = Scene::repo();
        let size = (size(1_024, 40) as u64) << 20;
        let head = [format!("blob {size}\0").as_bytes(), before].concat();
        loose(&scene.path(".git"), made_up(2), &deflated_zeros(&head, size - before.len() as u64));
        scene.scan().finds();
    }
}

/// A history whose newest commit has this tree.
fn tree(build: impl Fn(&mut Pack, Id) -> Id) -> Scene {
    let scene = Scene::repo();
    let secret = format!("YOUSIGN_API_KEY={}\n", scene.key);
    let mut pack = Pack::new();
    let blob = pack.whole(BLOB, secret.as_bytes());
    let tree = build(&mut pack, blob);
    let commit = pack.whole(COMMIT, &commit(tree, &[]));
    pack.write(&scene.path(".git"));
    put(&scene.path(".git/refs/heads/bad"), format!("{}\n", hex(&commit)).as_bytes());
    scene
}

/// Scans all of it.
fn with_tree(build: impl Fn(&mut Pack, Id) -> Id) -> Run {
    tree(build).scan()
}

/// Scans all of it, and once more only what the newest commit introduces.
fn with_tree_and_range(build: impl Fn(&mut Pack, Id) -> Id) {
    let scene = tree(build);
    scene.scan().finds();
    scene.scan_with(&["--range", "bad"]).finds();
}

#[test]
fn names_in_trees_lead_nowhere_and_drive_no_terminal() {
    let names: [&[u8]; 14] = [
        b"..",
        b".",
        b".git",
        b"",
        b"../../../../etc/passwd",
        b"/etc/passwd",
        b"a/../../b",
        b"\x1b]0;title\x07.env",
        b"\x1b[2J\x1b[31m",
        b"\r\n::error::x",
        "\u{202e}vne.gpj".as_bytes(),
        b"\xff\xfe.env",
        b"-rf",
        b"a\\b",
    ];
    for name in names {
        let run = with_tree(|pack, blob| pack.whole(TREE, &tree_entry("100644", name, blob)));
        let said = run.finds().said();
        assert!(!said.contains('\x1b') && !said.contains('\u{202e}'), "{said:?}");
    }
    let long = vec![b'x'; 100_000];
    with_tree(|pack, blob| pack.whole(TREE, &tree_entry("100644", &long, blob))).finds();
}

#[test]
fn trees_that_are_damaged_lose_nothing_else() {
    for mode in ["", "9", "99999999", "120000", "160000", "0", "40000", "100644 "] {
        with_tree(|pack, blob| pack.whole(TREE, &tree_entry(mode, b"a.env", blob))).finds();
    }
    for cut in [0, 1, 7, 8, 20, 26] {
        with_tree(|pack, blob| {
            let whole = tree_entry("100644", b"a.env", blob);
            pack.whole(TREE, &[&whole[..], &whole[..cut]].concat())
        })
        .finds();
    }
}

#[test]
fn a_name_that_stands_twice_in_a_tree_hides_nothing() {
    with_tree(|pack, blob| {
        let other = pack.whole(BLOB, b"nothing");
        let (first, second) = (tree_entry("100644", b"a", other), tree_entry("100644", b"a", blob));
        pack.whole(TREE, &[first, second].concat())
    })
    .finds();
}

#[test]
fn a_tree_of_a_hundred_thousand_entries_is_read() {
    with_tree(|pack, blob| {
        let entries = (0..100_000).flat_map(|number: u32| {
            tree_entry("100644", format!("{number:06}.env").as_bytes(), blob)
        });
        pack.whole(TREE, &entries.collect::<Vec<u8>>())
    })
    .finds();
}

#[test]
fn a_tree_that_holds_itself_ends() {
    for count in [1, 2, 50] {
        with_tree_and_range(|pack, blob| {
            for at in 0..count {
                let next = made_up(50 + (at + 1) % count);
                let entries =
                    [tree_entry("100644", b"a.env", blob), tree_entry("40000", b"d", next)];
                pack.whole_as(made_up(50 + at), TREE, &entries.concat());
            }
            made_up(50)
        });
    }
}

#[test]
fn a_tree_bomb_ends() {
    // Ten folders of ten folders of …: 10^40 files in 41 objects.
    with_tree_and_range(|pack, blob| {
        let mut below = pack.whole(TREE, &tree_entry("100644", b"a.env", blob));
        for _ in 0..40 {
            let entries = (0..10_u8).flat_map(|at| tree_entry("40000", &[b'0' + at], below));
            below = pack.whole(TREE, &entries.collect::<Vec<u8>>());
        }
        below
    });
}

#[test]
fn a_tree_of_thousands_of_levels_ends() {
    with_tree_and_range(|pack, blob| {
        let mut below = pack.whole(TREE, &tree_entry("100644", b"a.env", blob));
        for _ in 0..size(10_000, 1_000) {
            below = pack.whole(TREE, &tree_entry("40000", b"d", below));
        }
        below
    });
}

/// Scans a history beside hostile commits and tags; what `build` returns becomes a branch.
fn with_commit(build: impl Fn(&mut Pack, Id) -> Id) -> Run {
    let scene = Scene::repo();
    let mut pack = Pack::new();
    let blob = pack.whole(BLOB, b"yousign\n");
    let tree = pack.whole(TREE, &tree_entry("100644", b"a", blob));
    let tip = build(&mut pack, tree);
    pack.write(&scene.path(".git"));
    put(&scene.path(".git/refs/heads/bad"), format!("{}\n", hex(&tip)).as_bytes());
    scene.scan()
}

#[test]
fn commits_that_are_their_own_ancestors_end() {
    for count in [1, 2, 1_000] {
        with_commit(|pack, tree| {
            for at in 0..count {
                let parent = made_up(50 + (at + 1) % count);
                pack.whole_as(made_up(50 + at), COMMIT, &commit(tree, &[parent]));
            }
            made_up(50)
        })
        .finds();
    }
}

#[test]
fn a_commit_with_a_hundred_thousand_parents_ends() {
    with_commit(|pack, tree| {
        let parent = pack.whole(COMMIT, &commit(tree, &[]));
        pack.whole(COMMIT, &commit(tree, &vec![parent; 100_000]))
    })
    .finds();
}

#[test]
fn commits_that_are_damaged_lose_nothing_else() {
    let date = |date: &str| {
        format!(
            "tree {}\nauthor a <b> {date}\ncommitter a <b> {date}\n\nyousign api key\n",
            "1".repeat(40)
        )
    };
    for content in [
        String::new(),
        "\n".to_owned(),
        "yousign".to_owned(),
        "tree 12\n\nyousign".to_owned(),
        format!("tree {}\nparent x\n\nyousign", "1".repeat(40)),
        date("99999999999999999999 +0000"),
        date("-9223372036854775808 -9999"),
        date("9223372036854775807 +2147483647"),
        date("1 -2147483648"),
        date("x y"),
        format!("tree {}\n{}\n\nyousign", "1".repeat(40), "encoding ".repeat(200_000)),
    ] {
        with_commit(|pack, _| pack.whole(COMMIT, content.as_bytes())).finds();
        with_commit(|pack, _| pack.whole(TAG, content.as_bytes())).finds();
    }
}

fn tag(target: Id, kind: &str) -> Vec<u8> {
    format!("object {}\ntype {kind}\ntag v\ntagger a <b> 1 +0000\n\nyousign\n", hex(&target))
        .into_bytes()
}

#[test]
fn tags_of_tags_end() {
    with_commit(|pack, _| {
        pack.whole_as(made_up(50), TAG, &tag(made_up(50), "tag"));
        made_up(50)
    })
    .finds();
    with_commit(|pack, tree| {
        let mut at = pack.whole(COMMIT, &commit(tree, &[]));
        let mut kind = "commit";
        for _ in 0..5_000 {
            at = pack.whole(TAG, &tag(at, kind));
            kind = "tag";
        }
        at
    })
    .finds();
}

#[test]
fn many_refs_to_a_long_chain_of_tags_end() {
    let scene = Scene::repo();
    let mut pack = Pack::new();
    let blob = pack.whole(BLOB, b"yousign\n");
    let tree = pack.whole(TREE, &tree_entry("100644", b"a", blob));
    let mut at = pack.whole(COMMIT, &commit(tree, &[]));
    let mut kind = "commit";
    for _ in 0..5_000 {
        at = pack.whole(TAG, &tag(at, kind));
        kind = "tag";
    }
    pack.write(&scene.path(".git"));
    let refs: String = (0..20_000).map(|n| format!("{} refs/tags/{n:06}\n", hex(&at))).collect();
    put(&scene.path(".git/packed-refs"), refs.as_bytes());
    scene.scan().finds();
}

#[test]
fn a_million_refs_are_read() {
    let scene = Scene::repo();
    let refs: String = (0..size(1_000_000, 100_000))
        .map(|n| format!("{} refs/heads/{n:07}\n", hex(&made_up(7))))
        .collect();
    put(&scene.path(".git/packed-refs"), refs.as_bytes());
    scene.scan().finds_and_says("which is not here");
}

#[test]
fn refs_that_lead_in_circles_or_out_of_the_repository_are_not_followed() {
    for (name, content) in [
        ("HEAD", "ref: HEAD\n"),
        ("HEAD", "ref: refs/heads/loop\n"),
        ("HEAD", "ref: ../../../../../etc/passwd\n"),
        ("HEAD", "ref: refs/../../../outside\n"),
        ("refs/heads/loop", "ref: refs/heads/loop\n"),
        ("refs/heads/up", "ref: ../../../outside\n"),
        ("packed-refs", "garbage\n\0\0\n\n ^^\n"),
        ("packed-refs", "# pack-refs with: peeled \x1b[2J\n"),
        ("logs/HEAD", "\n\n \n  \nx\n"),
        ("shallow", "garbage\n"),
        ("shallow", "1111111111111111111111111111111111111111\n"),
        ("FETCH_HEAD", "\0\0\0"),
        ("ORIG_HEAD", "ref: ORIG_HEAD\n"),
        ("index", "DIRC\0\0\0\x02\u{7f}\u{7f}\u{7f}\u{7f}"),
        ("index", ""),
        ("worktrees/x/HEAD", "ref: ../../../../outside\n"),
        ("objects/info/alternates", "../objects\n."),
        ("objects/info/alternates", "\0\n\x1b[2J\n"),
        ("info/grafts", "1 2 3\n"),
        ("objects/pack/multi-pack-index", "MIDX"),
        ("objects/info/commit-graph", "CGPH"),
    ] {
        let scene = Scene::repo();
        put(&scene.path(&format!(".git/{name}")), content.as_bytes());
        let run = scene.scan();
        run.finds();
        assert!(!run.said().contains('\x1b'), "{name}");
    }
}

#[test]
fn administrative_files_that_are_no_files_do_not_hang() {
    for name in [
        "refs/heads/x",
        "packed-refs",
        "ORIG_HEAD",
        "logs/HEAD",
        "shallow",
        "index",
        "commondir",
        "config.worktree",
        "objects/info/alternates",
        "objects/pack/multi-pack-index",
        "info/exclude",
        "info/sparse-checkout",
        "hooks/pre-commit",
        "worktrees/x/HEAD",
        "modules/x/HEAD",
    ] {
        let make: [fn(&Scene, &str); 3] = [
            |scene, name| scene.fifo(name),
            |scene, name| scene.link(name, "/dev/zero"),
            |scene, name| {
                drop(fs::remove_file(scene.path(name)));
                fs::create_dir_all(scene.path(name)).expect("made");
            },
        ];
        for make in make {
            let scene = Scene::repo();
            make(&scene, &format!(".git/{name}"));
            scene.scan().finds();
        }
    }
}

#[test]
fn folders_that_are_no_folders_lose_no_planted_key() {
    for name in ["logs", "hooks", "info", "worktrees", "modules", "refs/tags", "objects/pack"] {
        for fifo in [true, false] {
            let scene = Scene::repo();
            let path = format!(".git/{name}");
            drop(fs::remove_dir_all(scene.path(&path)));
            if fifo {
                scene.fifo(&path);
            } else {
                scene.write(&path, "x");
            }
            scene.scan().finds();
        }
    }
}

/// The planted key stands in a file, too, since the history may be lost.
fn broken(damage: impl Fn(&Scene)) -> Run {
    let scene = Scene::repo();
    scene.write("beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
    damage(&scene);
    scene.scan()
}

#[test]
fn a_repository_that_cannot_be_opened_does_not_hide_its_files() {
    let cases: [(&str, Damage); 14] = [
        ("HEAD garbage", |scene| put(&scene.path(".git/HEAD"), b"garbage")),
        ("HEAD empty", |scene| put(&scene.path(".git/HEAD"), b"")),
        ("HEAD missing", |scene| fs::remove_file(scene.path(".git/HEAD")).expect("there")),
        ("HEAD FIFO", |scene| scene.fifo(".git/HEAD")),
        ("HEAD endless", |scene| scene.link(".git/HEAD", "/dev/zero")),
        ("config garbage", |scene| put(&scene.path(".git/config"), b"[[[")),
        ("config binary", |scene| put(&scene.path(".git/config"), &[0xff; 4096])),
        ("object format", |scene| {
            put(
                &scene.path(".git/config"),
                b"[core]\nrepositoryformatversion=1\n[extensions]\nobjectformat=md5\n",
            );
        }),
        ("ref format", |scene| {
            put(
                &scene.path(".git/config"),
                b"[core]\nrepositoryformatversion=1\n[extensions]\nrefstorage=reftable\n",
            );
        }),
        ("objects missing", |scene| {
            fs::remove_dir_all(scene.path(".git/objects")).expect("there");
        }),
        ("a file that points at itself", |scene| {
            fs::remove_dir_all(scene.path(".git")).expect("there");
            scene.write(".git", "gitdir: .git\n");
        }),
        ("a file that points nowhere", |scene| {
            fs::remove_dir_all(scene.path(".git")).expect("there");
            scene.write(".git", "gitdir: /no/such/folder\n");
        }),
        ("a file of garbage", |scene| {
            fs::remove_dir_all(scene.path(".git")).expect("there");
            scene.write(".git", [0xff; 100]);
        }),
        ("a link to itself", |scene| {
            fs::remove_dir_all(scene.path(".git")).expect("there");
            scene.link(".git", ".git");
        }),
    ];
    for (name, damage) in cases {
        let run = broken(damage);
        assert!(run.said().contains("repository"), "{name}: {}", run.said());
        run.finds();
    }
}

#[test]
fn a_repository_of_another_user_is_told_and_opened_on_demand() {
    let scene = Scene::repo();
    scene.write("beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
    // Only the superuser may give files away.
    if std::os::unix::fs::chown(scene.path(".git"), Some(12_345), None).is_err() {
        return;
    }
    scene.scan().finds_and_says("belongs to another user");
    scene.scan_with(&["--trust-owner"]).finds_all();
    let folder = fs::canonicalize(scene.path("")).expect("there");
    for named in [folder.clone(), folder.parent().expect("one").join("*"), "*".into()] {
        let text = format!("[safe]\n\tdirectory = {}\n", named.display());
        put(&scene.outside("home/.gitconfig"), text.as_bytes());
        scene.scan().finds_all();
    }
}

/// A clone that shares objects, a linked worktree and a submodule lead out of the target, as git makes them.
#[test]
fn what_git_itself_puts_outside_of_the_target_is_read() {
    for make in [
        &["clone", "-q", "--shared", "t", "other"][..],
        &["clone", "-q", "--reference", "t", "t", "other"],
        &["-C", "t", "worktree", "add", "-q", "../other"],
        &["init", "-q", "--separate-git-dir=elsewhere", "t"],
    ] {
        let scene = Scene::repo();
        scene.sandbox.git(make);
        let other = if scene.outside("other").exists() { "other" } else { "t" };
        scene.run(&["scan", other, "--format", "json"]).finds_all();
    }
}

#[test]
fn objects_borrowed_from_another_user_are_told_and_read_on_demand() {
    let scene = Scene::repo();
    scene.sandbox.git(&["clone", "-q", "--shared", "t", "other"]);
    scene.sandbox.write("other/beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
    // Only the superuser may give files away.
    if std::os::unix::fs::chown(scene.path(".git/objects"), Some(12_345), None).is_err() {
        return;
    }
    let scan = |args: &[&str]| scene.run(&[&["scan", "other", "--format", "json"], args].concat());
    scan(&[]).finds_and_says("objects are borrowed from here, and it belongs to another user");
    scan(&["--trust-owner"]).finds_all();
    for named in [scene.path(""), scene.path(".git"), scene.path(".git/objects"), "*".into()] {
        let named = fs::canonicalize(&named).unwrap_or(named);
        let text = format!("[safe]\n\tdirectory = {}\n", named.display());
        put(&scene.outside("home/.gitconfig"), text.as_bytes());
        scan(&[]).finds_all();
    }
    fs::remove_file(scene.outside("home/.gitconfig")).expect("there");
    // The objects may be lent by a link, too.
    scene.sandbox.write("other/.git/objects/info/alternates", "");
    fs::remove_dir_all(scene.outside("other/.git/objects")).expect("there");
    std::os::unix::fs::symlink(scene.path(".git/objects"), scene.outside("other/.git/objects"))
        .expect("linked");
    scan(&[]).finds_and_says("belongs to another user");
}

#[test]
fn a_worktree_whose_common_folder_belongs_to_another_user_is_not_opened() {
    let scene = Scene::repo();
    scene.git(&["worktree", "add", "-q", "../other"]);
    scene.sandbox.write("other/beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
    if std::os::unix::fs::chown(scene.path(".git"), Some(12_345), None).is_err() {
        return;
    }
    let scan = |args: &[&str]| scene.run(&[&["scan", "other", "--format", "json"], args].concat());
    scan(&[]).finds_and_says("belongs to another user");
    scan(&["--trust-owner"]).finds_all();
}

#[test]
fn a_submodule_of_another_user_is_told_and_opened_on_demand() {
    let scene = Scene::repo();
    scene.write("beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
    scene.sandbox.git(&["clone", "-q", "t", "t/module"]);
    scene.git(&["add", "module"]);
    if std::os::unix::fs::chown(scene.path("module/.git"), Some(12_345), None).is_err() {
        return;
    }
    scene.scan().finds_and_says("belongs to another user");
    scene.scan_with(&["--trust-owner"]).finds_all();
}

#[test]
fn a_git_folder_that_is_a_fifo_does_not_hang() {
    broken(|scene| {
        fs::remove_dir_all(scene.path(".git")).expect("there");
        scene.fifo(".git");
    })
    .finds();
}

#[test]
fn a_configuration_that_is_a_fifo_or_endless_does_not_hang() {
    broken(|scene| scene.fifo(".git/config")).finds();
    broken(|scene| scene.link(".git/config", "/dev/zero")).finds();
    broken(|scene| {
        put(&scene.path(".git/config"), b"[include]\n path = /dev/zero\n");
    })
    .finds();
    broken(|scene| {
        scene.fifo("fifo");
        put(&scene.path(".git/config"), b"[include]\n path = ../fifo\n");
    })
    .finds();
    broken(|scene| {
        put(&scene.path(".git/config"), b"[include]\n path = config\n");
    })
    .finds();
}
