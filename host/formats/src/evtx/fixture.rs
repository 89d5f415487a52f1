//! A small event log, written byte by byte as MS-EVEN6 and the chunk's layout have it: the logs that others recorded
//! carry licences, and a test needs to know every value. Templates are not used; real logs have those.

/// The header of a file, a chunk, the header of a chunk and of a record, in bytes.
const HEADER: usize = 4 << 10;
pub(crate) const CHUNK: usize = 64 << 10;
const CHUNK_HEADER: usize = 512;
pub(crate) const RECORD_HEADER: usize = 24;

/// 2024-05-01T08:00:00Z as Windows counts: 100 ns since 1601.
const FILETIME: u64 = 133_590_240_000_000_000;

/// An element of the XML of a record: attributes, and text or elements.
struct Writer<'b> {
    chunk: &'b mut Vec<u8>,
}

impl Writer<'_> {
    fn u16(&mut self, value: usize) {
        self.chunk.extend_from_slice(&u16::try_from(value).expect("it is small").to_le_bytes());
    }

    fn u32(&mut self, value: usize) {
        self.chunk.extend_from_slice(&u32::try_from(value).expect("it is small").to_le_bytes());
    }

    fn utf16(&mut self, text: &str) {
        self.u16(text.encode_utf16().count());
        self.chunk.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    }

    /// A name, which stands behind its own offset in the chunk.
    fn name(&mut self, name: &str) {
        self.u32(self.chunk.len() + 4);
        self.u32(0);
        self.u16(0);
        self.utf16(name);
        self.u16(0);
    }

    fn text(&mut self, text: &str) {
        self.chunk.extend_from_slice(&[0x05, 0x01]);
        self.utf16(text);
    }

    /// An element. Sizes of elements are not written: readers of records do without.
    fn element(&mut self, name: &str, attribute: Option<(&str, &str)>, inside: impl FnOnce(&mut Self)) {
        self.chunk.push(if attribute.is_some() { 0x41 } else { 0x01 });
        self.u32(0);
        self.name(name);
        if let Some((name, value)) = attribute {
            self.u32(0);
            self.chunk.push(0x06);
            self.name(name);
            self.text(value);
        }
        self.chunk.push(0x02);
        inside(self);
        self.chunk.push(0x04);
    }

    fn event(&mut self, id: u64, data: &[(&str, &str)]) {
        self.chunk.extend_from_slice(&[0x0f, 1, 1, 0]);
        self.element("Event", None, |event| {
            event.element("System", None, |system| {
                system.element("Provider", Some(("Name", "Sandtrap-Test")), |_| {});
                system.element("EventID", Some(("Qualifiers", "7")), |value| value.text("4688"));
                system.element("EventRecordID", None, |value| value.text(&id.to_string()));
                system.element("Channel", None, |value| value.text("Security"));
            });
            event.element("EventData", None, |event_data| {
                for (name, value) in data {
                    let attribute = Some(("Name", *name)).filter(|(_, name)| !name.is_empty());
                    event_data.element("Data", attribute, |data| data.text(value));
                }
            });
        });
        self.chunk.push(0);
    }
}

/// A log of `chunks`, each of the records with these ids. Record `id` has the data `data(id)`; an empty name is none.
pub(crate) fn log<'d>(chunks: &[&[u64]], data: impl Fn(u64) -> Vec<(&'d str, &'d str)>) -> Vec<u8> {
    let mut file = b"ElfFile\0".to_vec();
    file.resize(32, 0);
    file.extend_from_slice(&[128, 0, 0, 0, 1, 0, 3, 0, 0, 16]);
    file.extend_from_slice(&u16::try_from(chunks.len()).expect("few chunks").to_le_bytes());
    file.resize(HEADER, 0);
    for ids in chunks {
        file.extend_from_slice(&chunk(ids, &data));
    }
    file
}

fn chunk<'d>(ids: &[u64], data: &impl Fn(u64) -> Vec<(&'d str, &'d str)>) -> Vec<u8> {
    let mut chunk = vec![0; CHUNK_HEADER];
    let mut last = CHUNK_HEADER;
    for id in ids {
        last = chunk.len();
        chunk.extend_from_slice(b"\x2a\x2a\0\0\0\0\0\0");
        chunk.extend_from_slice(&id.to_le_bytes());
        chunk.extend_from_slice(&FILETIME.to_le_bytes());
        Writer { chunk: &mut chunk }.event(*id, &data(*id));
        let size = u32::try_from(chunk.len() + 4 - last).expect("it is small").to_le_bytes();
        chunk.extend_from_slice(&size);
        chunk[last + 4..last + 8].copy_from_slice(&size);
    }
    let (first_id, last_id) = (ids.first().copied().unwrap_or(1), ids.last().copied().unwrap_or(0));
    let offsets = [128, last, chunk.len()];
    chunk[..8].copy_from_slice(b"ElfChnk\0");
    for (at, id) in [8, 16, 24, 32].into_iter().zip([first_id, last_id, first_id, last_id]) {
        chunk[at..at + 8].copy_from_slice(&id.to_le_bytes());
    }
    for (at, offset) in [40, 44, 48].into_iter().zip(offsets) {
        chunk[at..at + 4].copy_from_slice(&u32::try_from(offset).expect("it is small").to_le_bytes());
    }
    chunk.resize(CHUNK, 0);
    chunk
}

/// Where the records of a log begin in it.
pub(crate) fn records(log: &[u8]) -> Vec<usize> {
    log.windows(4).enumerate().filter(|(_, window)| *window == b"\x2a\x2a\0\0").map(|(at, _)| at).collect()
}
