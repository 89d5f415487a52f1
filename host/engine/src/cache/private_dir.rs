//! A folder that nobody but the user of this process can write.
//!
//! The folder is opened once, looked at through the opened descriptor, and everything in it is reached by that descriptor:
//! what lies at its path later does not matter.

use std::{
    env, fmt, fs,
    fs::File,
    io::{self, Read as _, Write as _},
    os::{
        fd::OwnedFd,
        unix::fs::{DirBuilderExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use rustix::{
    fs::{AtFlags, Dir, Mode, OFlags},
    io::Errno,
};

/// How a temporary file's name begins.
const TEMPORARY: &str = "tmp-";

/// How long a temporary file may lie: it is written within seconds, unless its process has died.
const TEMPORARY_AGE_MAX: Duration = Duration::from_hours(1);

/// Bits of a mode that let somebody other than the owner write.
const OTHERS_WRITE: u32 = 0o022;

/// A folder that nobody but the user of this process can write. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PrivateDir {
    folder: Arc<OwnedFd>,
    path: PathBuf,
}

/// Why a folder cannot be a cache.
#[derive(Debug)]
pub struct CacheError {
    path: PathBuf,
    reason: String,
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the cache folder {} cannot be used: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for CacheError {}

/// A file that a folder holds.
#[derive(Clone, Debug)]
pub struct FoundFile {
    /// Its name in the folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// When it was last written or marked as used.
    pub modified: SystemTime,
}

impl PrivateDir {
    /// Where the cache is unless somebody says otherwise: `sandtrap` in the folder that the XDG Base Directory Specification
    /// gives. `None` where the environment does not say who we are.
    pub fn default_path() -> Option<PathBuf> {
        let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
        Some(caches.join("sandtrap"))
    }

    /// Opens a folder, or makes it. One that belongs to another user, or that others can write, is refused: what lies there
    /// is run.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let error = |error: io::Error| CacheError { path: path.to_owned(), reason: error.to_string() };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(error)?;
        }
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(found) if found.kind() != io::ErrorKind::AlreadyExists => return Err(error(found)),
            _ => {}
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| error(errno.into()))?;
        Self::checked(folder, path.to_owned())
    }

    /// A folder in this one, opened or made.
    pub fn subfolder(&self, name: &str) -> Result<Self, CacheError> {
        let path = self.path.join(name);
        let error = |error: io::Error| CacheError { path: path.clone(), reason: error.to_string() };
        is_name(name).map_err(error)?;
        match rustix::fs::mkdirat(&self.folder, name, Mode::RWXU) {
            Err(errno) if errno != Errno::EXIST => return Err(error(errno.into())),
            _ => {}
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder =
            rustix::fs::openat(&self.folder, name, flags, Mode::empty()).map_err(|errno| error(errno.into()))?;
        Self::checked(folder, path)
    }

    fn checked(folder: OwnedFd, path: PathBuf) -> Result<Self, CacheError> {
        let folder = File::from(folder);
        match folder.metadata().and_then(|metadata| is_ours(&metadata)) {
            Ok(()) => Ok(Self { folder: Arc::new(folder.into()), path }),
            Err(error) => Err(CacheError { path, reason: error.to_string() }),
        }
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file to read, if it is a file of ours.
    pub fn file(&self, name: &str) -> io::Result<File> {
        is_name(name)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.folder, name, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        is_ours(&metadata)?;
        Ok(file)
    }

    /// What a file of at most `bytes_max` bytes holds.
    pub fn read(&self, name: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
        let file = self.file(name)?;
        let bytes = file.metadata()?.len();
        if bytes > bytes_max {
            return Err(io::Error::other(format!("it has {bytes} bytes, more than {bytes_max}")));
        }
        let mut contents = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
        // One that grows meanwhile is not read further than it was when it was opened; its seal will not fit.
        file.take(bytes).read_to_end(&mut contents)?;
        Ok(contents)
    }

    /// Writes a file, in whole or not at all. It is not synced to the disk: after a crash the seal tells whether it is whole.
    pub fn write(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let temporary = self.temporary()?;
        let mut file: &File = temporary.file();
        for part in parts {
            file.write_all(part)?;
        }
        temporary.rename(name).map(drop)
    }

    /// A new file under a name that nobody else uses.
    pub fn temporary(&self) -> io::Result<TemporaryFile> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        // The process may have another one's number in another namespace: the name is tried until it is new.
        loop {
            let name = format!("{TEMPORARY}{}-{}", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match rustix::fs::openat(&self.folder, &*name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => {
                    let file = Arc::new(File::from(file));
                    return Ok(TemporaryFile { folder: self.clone(), name: Some(name), file });
                }
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Removes a file. One that is gone already is no error.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        is_name(name)?;
        match rustix::fs::unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The files in the folder, but for temporary ones. Temporary files that their processes left behind are removed.
    pub fn files(&self) -> io::Result<Vec<FoundFile>> {
        let mut found = Vec::new();
        for entry in Dir::read_from(&self.folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            // Another process may have removed it meanwhile.
            let Ok(file) = self.file(name) else { continue };
            let metadata = file.metadata()?;
            let modified = metadata.modified()?;
            if name.starts_with(TEMPORARY) {
                if modified.elapsed().is_ok_and(|age| age > TEMPORARY_AGE_MAX) {
                    self.remove(name)?;
                }
                continue;
            }
            found.push(FoundFile { name: name.to_owned(), bytes: metadata.len(), modified });
        }
        Ok(found)
    }
}

/// A file that is being written, and removed if it is not finished.
#[derive(Debug)]
pub struct TemporaryFile {
    folder: PrivateDir,
    /// `None` once it has its own name.
    name: Option<String>,
    file: Arc<File>,
}

impl TemporaryFile {
    /// The file. Whoever holds it can read on when it has another name, or none.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Gives the file its name, in place of any other of that name.
    pub fn rename(mut self, name: &str) -> io::Result<Arc<File>> {
        is_name(name)?;
        if let Some(temporary) = &self.name {
            rustix::fs::renameat(&*self.folder.folder, &**temporary, &*self.folder.folder, name)?;
        }
        self.name = None;
        Ok(Arc::clone(&self.file))
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // What cannot be removed is removed when it is old.
            let _ = self.folder.remove(name);
        }
    }
}

/// Whether nobody but us can change it.
fn is_ours(metadata: &fs::Metadata) -> io::Result<()> {
    let (owner, us) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != us {
        return Err(io::Error::other(format!("it belongs to user {owner}, and this process is user {us}")));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS_WRITE != 0 {
        return Err(io::Error::other(format!("others can write it (mode {mode:o}); expected 700")));
    }
    Ok(())
}

/// Whether a name is one in the folder itself.
fn is_name(name: &str) -> io::Result<()> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} is no file name")));
    }
    Ok(())
}
