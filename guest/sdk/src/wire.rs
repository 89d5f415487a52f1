//! Between the types that wit-bindgen makes of `detection.wit` and the checked columns of `sandtrap_wit`.

use sandtrap_wit::batch::{Bitmap, Column, ColumnError, Values};

pub(crate) use bindings::exports::sandtrap::detection::detection::{
    Batch, Column as WireColumn, Guest, Matches, Text, Values as WireValues,
};

/// What wit-bindgen makes of `detection.wit`.
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated")]
#[allow(clippy::undocumented_unsafe_blocks, reason = "generated")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/detection.wit",
        world: "sandboxed",
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "sandtrap_sdk::internal::bindings",
    });
}

/// A column of `rows` cells as the host sent it, checked. Its lists are taken, not copied.
pub(crate) fn lift(column: WireColumn, rows: usize) -> Result<Column, ColumnError> {
    if column.lists.is_some() {
        return Err(ColumnError::Lists);
    }
    let bitmap = |bytes: Option<Vec<u8>>| {
        bytes.map(|bytes| Bitmap::from_bytes(bytes, rows).ok_or(ColumnError::Bitmap)).transpose()
    };
    let values = match column.values {
        WireValues::Text(Text { offsets, bytes }) => Values::text(offsets, bytes)?,
        WireValues::Integers(values) => Values::Integers(values),
        WireValues::Reals(values) => Values::Reals(values),
        WireValues::Booleans(bytes) => Values::Booleans(Bitmap::from_bytes(bytes, rows).ok_or(ColumnError::Bitmap)?),
    };
    let column = Column::new(values, bitmap(column.validity)?, bitmap(column.absent)?)?;
    if column.rows() == rows { Ok(column) } else { Err(ColumnError::Length) }
}

/// A column as it travels.
pub(crate) fn lower(column: &Column) -> WireColumn {
    let bitmap = |bitmap: Option<&Bitmap>| bitmap.map(|bitmap| bitmap.as_bytes().to_vec());
    let values = match column.values() {
        Values::Text { offsets, text } => {
            WireValues::Text(Text { offsets: offsets.clone(), bytes: text.clone().into_bytes() })
        }
        Values::Integers(values) => WireValues::Integers(values.clone()),
        Values::Reals(values) => WireValues::Reals(values.clone()),
        Values::Booleans(values) => WireValues::Booleans(values.as_bytes().to_vec()),
    };
    WireColumn { validity: bitmap(column.validity()), absent: bitmap(column.absent()), lists: None, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(values: WireValues) -> WireColumn {
        WireColumn { validity: None, absent: None, lists: None, values }
    }

    #[test]
    fn a_column_comes_back_as_it_went() {
        let text = || WireValues::Text(Text { offsets: vec![0, 1, 1, 3], bytes: "aé".into() });
        for column in [
            wire(text()),
            WireColumn { validity: Some(vec![0b101]), absent: Some(vec![0b010]), ..wire(text()) },
            wire(WireValues::Integers(vec![1, 2, 3])),
            wire(WireValues::Reals(vec![0.5, 1.0, 2.0])),
            wire(WireValues::Booleans(vec![0b110])),
        ] {
            let back = lift(column.clone(), 3).map(|column| lower(&column));
            assert_eq!(format!("{back:?}"), format!("{:?}", Ok::<_, ColumnError>(column)));
        }
    }

    #[test]
    fn a_column_of_another_length_or_shape_is_refused() {
        for (column, error) in [
            (wire(WireValues::Integers(vec![1, 2])), ColumnError::Length),
            (wire(WireValues::Booleans(vec![0, 0])), ColumnError::Bitmap),
            (WireColumn { validity: Some(vec![]), ..wire(WireValues::Integers(vec![1, 2, 3])) }, ColumnError::Bitmap),
            (WireColumn { lists: Some(vec![0]), ..wire(WireValues::Integers(vec![1, 2, 3])) }, ColumnError::Lists),
            (wire(WireValues::Text(Text { offsets: vec![0, 1], bytes: vec![0xff] })), ColumnError::Utf8),
        ] {
            assert_eq!(lift(column, 3), Err(error));
        }
    }
}
