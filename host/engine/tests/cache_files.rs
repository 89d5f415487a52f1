//! A cache file is whole and ours, or it is not used.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    thread,
};

use sandtrap_engine::cache::{PrivateDir, SEAL_BYTES, seal, unseal};

fn folder() -> (tempfile::TempDir, PrivateDir) {
    let root = tempfile::tempdir().expect("a folder");
    let folder = PrivateDir::open(&root.path().join("a/cache")).expect("a private folder");
    (root, folder)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

#[test]
fn a_seal_fits_only_what_was_sealed() {
    let contents = b"machine code";
    let file = [seal(b"here", contents).as_slice(), contents].concat();
    assert_eq!(unseal(b"here", &file), Some(contents.as_slice()));
    assert_eq!(unseal(b"there", &file), None, "moved");
    assert_eq!(unseal(b"here", &[file.as_slice(), b"x"].concat()), None, "longer");
    for length in 0..file.len() {
        assert_eq!(unseal(b"here", &file[..length]), None, "truncated to {length}");
    }
    for place in 0..file.len() {
        let mut damaged = file.clone();
        damaged[place] ^= 0x40;
        assert_eq!(unseal(b"here", &damaged), None, "damaged at {place}");
    }
    let empty = seal(b"", b"");
    assert_eq!(unseal(b"", &empty), Some(&[][..]));
    assert_eq!(empty.len(), SEAL_BYTES);
    // Context and contents are told apart.
    assert_eq!(unseal(b"herem", &[&seal(b"here", contents), &contents[1..]].concat()), None);
}

#[test]
fn a_folder_is_made_for_its_owner_alone() {
    let (_root, folder) = folder();
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o7777;
    assert_eq!(mode(folder.path()), 0o700);
    let inner = folder.subfolder("code").expect("a folder in it");
    assert_eq!(mode(inner.path()), 0o700);
    inner.write("file", &[b"a", b"bc"]).expect("written");
    assert_eq!(mode(&inner.path().join("file")), 0o600);
    assert_eq!(inner.read("file", 3).expect("it is there"), b"abc");
    assert!(inner.read("file", 2).expect_err("too long").to_string().contains("3 bytes"));
    let names: Vec<String> = inner.files().expect("a list").into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["file"], "the temporary file is gone");
}

#[test]
fn a_folder_that_others_can_write_is_refused() {
    let (_root, folder) = folder();
    for mode in [0o770, 0o702, 0o1777] {
        set_mode(folder.path(), mode);
        let error = PrivateDir::open(folder.path()).expect_err("others can write it").to_string();
        assert!(error.contains(&format!("mode {mode:o}")), "{error}");
    }
    set_mode(folder.path(), 0o755);
    PrivateDir::open(folder.path()).expect("others may read it");
    fs::write(folder.path().join("file"), "x").expect("written");
    let error = PrivateDir::open(&folder.path().join("file")).expect_err("a file").to_string();
    assert!(error.contains("cannot be used"), "{error}");
    let inner = folder.subfolder("inner").expect("a folder");
    set_mode(inner.path(), 0o777);
    folder.subfolder("inner").expect_err("others can write it");
}

#[test]
fn another_users_folder_is_refused() {
    let (_root, folder) = folder();
    // Only root can give files away; anybody else finds root's here.
    let theirs = if std::os::unix::fs::chown(folder.path(), Some(4711), None).is_ok() {
        folder.path()
    } else {
        Path::new("/usr")
    };
    let error = PrivateDir::open(theirs).expect_err("another user's").to_string();
    assert!(error.contains("belongs to user"), "{error}");
}

#[test]
fn a_file_that_is_not_a_file_of_ours_is_not_read() {
    let (root, folder) = folder();
    fs::write(root.path().join("outside"), "secret").expect("written");
    symlink(root.path().join("outside"), folder.path().join("link")).expect("a link");
    folder.read("link", 100).expect_err("a link");
    folder.subfolder("folder").expect("a folder");
    folder.read("folder", 100).expect_err("a folder");
    folder.write("shared", &[b"x"]).expect("written");
    set_mode(&folder.path().join("shared"), 0o622);
    folder.read("shared", 100).expect_err("others can write it");
    for name in ["../outside", "", ".", "..", "a/b"] {
        folder.read(name, 100).expect_err(name);
        folder.write(name, &[]).expect_err(name);
        folder.subfolder(name).expect_err(name);
    }
    symlink(root.path(), folder.path().join("away")).expect("a link");
    folder.subfolder("away").expect_err("a link");
}

#[test]
fn a_folder_is_the_one_that_was_opened() {
    let (root, folder) = folder();
    folder.write("file", &[b"ours"]).expect("written");
    let (path, moved) = (folder.path().to_owned(), root.path().join("moved"));
    fs::rename(&path, &moved).expect("moved");
    fs::create_dir(&path).expect("another in its place");
    fs::write(path.join("file"), "theirs").expect("written");
    assert_eq!(folder.read("file", 100).expect("it is there"), b"ours");
    folder.write("new", &[b"new"]).expect("written");
    assert!(moved.join("new").exists() && !path.join("new").exists());
}

#[test]
fn many_writers_of_one_file_leave_it_whole() {
    let (_root, folder) = folder();
    let contents: Vec<Vec<u8>> = (0..4_u8).map(|writer| vec![writer; 100_000]).collect();
    thread::scope(|scope| {
        for contents in &contents {
            scope.spawn(|| {
                (0..20).for_each(|_| folder.write("file", &[&seal(b"", contents), contents]).expect("written"));
            });
        }
        for _ in 0..200 {
            if let Ok(file) = folder.read("file", 1 << 20) {
                let found = unseal(b"", &file).expect("it is whole");
                assert!(contents.iter().any(|contents| contents == found));
            }
        }
    });
    assert_eq!(folder.files().expect("a list").len(), 1);
}

#[test]
fn what_a_dead_process_left_behind_is_removed_when_it_is_old() {
    let (_root, folder) = folder();
    let temporary = folder.temporary().expect("a file");
    assert_eq!(fs::read_dir(folder.path()).expect("a list").count(), 1);
    assert!(folder.files().expect("a list").is_empty());
    assert_eq!(fs::read_dir(folder.path()).expect("a list").count(), 1, "it may be in use");
    temporary.file().set_modified(std::time::SystemTime::UNIX_EPOCH).expect("a time");
    folder.files().expect("a list");
    assert_eq!(fs::read_dir(folder.path()).expect("a list").count(), 0);
    drop(folder.temporary().expect("a file"));
    assert_eq!(fs::read_dir(folder.path()).expect("a list").count(), 0, "an unfinished file is removed");
}
