//! Images come back as they were written, whatever is in them.

use super::*;
use proptest::prelude::*;

fn any_cells() -> impl Strategy<Value = Cells> {
    let cell = prop_oneof![
        Just(Cell::Null),
        Just(Cell::Missing),
        ".{0,12}".prop_map(|s| Cell::Text(s.into())),
    ];
    prop::collection::vec(cell, 0..6).prop_map(Cells::from)
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let given = prop_oneof![
        Just(Given::Missing),
        Just(Given::Ambiguous),
        any_cells().prop_map(Given::Row),
    ];
    let args = prop::collection::vec(".{0,6}".prop_map(Box::from), 0..3);
    (0usize..9, args, given).prop_map(|(lookup, args, given): (_, Vec<Box<str>>, _)| Answer {
        question: Question {
            lookup,
            args: args.into(),
        },
        given,
    })
}

fn any_image() -> impl Strategy<Value = Image> {
    let life = prop_oneof![
        Just(Life::Live),
        any::<i64>().prop_map(|stamp| Life::Ended { stamp }),
        any::<i64>().prop_map(|stamp| Life::Deleted { stamp }),
    ];
    let row = (any::<i64>(), any_cells()).prop_map(|(stamp, cells)| Row { cells, stamp });
    let key = prop::collection::vec(".{0,6}".prop_map(Box::from), 0..3);
    let ghost = (0usize..9, any::<i64>(), key, any_cells()).prop_map(
        |(into, stamp, key, cells): (_, _, Vec<Box<str>>, _)| Ghost {
            into,
            key: key.into(),
            cells,
            stamp,
        },
    );
    let key = prop::collection::vec(".{0,6}".prop_map(Box::from), 0..3);
    let moment =
        (0usize..9, any::<i64>(), key).prop_map(|(into, stamp, key): (_, _, Vec<Box<str>>)| {
            Moment {
                into,
                key: key.into(),
                stamp,
            }
        });
    (
        life,
        prop::collection::vec(prop::collection::vec(row, 0..4), 0..4),
        prop::collection::vec(ghost, 0..3),
        prop::collection::vec(moment, 0..3),
        prop::collection::vec(any_answer(), 0..3),
    )
        .prop_map(|(life, tables, ghosts, moments, answers)| Image {
            life,
            tables: tables.into(),
            ghosts,
            moments,
            answers: answers.into_iter().collect(),
        })
}

fn rows(image: &Image) -> Vec<Vec<Cells>> {
    let cells = |rows: &Vec<Row>| rows.iter().map(|row| row.cells.clone()).collect();
    image.tables.iter().map(cells).collect()
}

/// The same image with one cell, one row or one table changed.
fn others(image: &Image) -> impl Iterator<Item = Image> {
    let mut others = Vec::new();
    for (table, rows) in image.tables.iter().enumerate() {
        for (at, row) in rows.iter().enumerate() {
            let mut less = image.clone();
            less.tables[table].remove(at);
            others.push(less);
            for cell in 0..row.cells.len() {
                let was = row.cells[cell].text().unwrap_or_default();
                for changed in [
                    Cell::Null,
                    Cell::Missing,
                    Cell::Text("".into()),
                    Cell::Text(format!("{was} ").into()),
                ] {
                    let mut cells = row.cells.to_vec();
                    cells[cell] = changed;
                    let mut other = image.clone();
                    other.tables[table][at].cells = cells.into();
                    others.push(other);
                }
            }
        }
    }
    let mut more = image.clone();
    more.tables = more.tables.iter().cloned().chain([Vec::new()]).collect();
    others.push(more);
    others.into_iter()
}

proptest! {
    #[test]
    fn what_was_written_is_read(image in any_image()) {
        prop_assert_eq!(decode(&encode(&image)), Ok(image));
    }

    #[test]
    fn an_image_is_alike_where_it_is_equal_but_for_stamps(
        kept in any_image(),
        other in any_image(),
        shift: i64,
    ) {
        let bytes = encode(&kept);
        let bare = kept.life == Life::Live
            && kept.ghosts.is_empty() && kept.moments.is_empty() && kept.answers.is_empty();
        let mut read = kept.clone();
        for row in read.tables.iter_mut().flatten() {
            row.stamp = row.stamp.wrapping_add(shift);
        }
        let before = read.clone();
        prop_assert_eq!(alike(&bytes, &mut read), bare);
        prop_assert_eq!(&read, if bare { &kept } else { &before });
        // Nothing of another image is taken for the same, and nothing of it is changed.
        for mut strange in others(&kept).chain([other]) {
            let (before, same) = (strange.clone(), rows(&strange) == rows(&kept));
            let found = alike(&bytes, &mut strange);
            prop_assert!(!found || bare && same);
            prop_assert!(found || strange == before);
        }
        for end in 0..bytes.len() {
            prop_assert!(!alike(&bytes[..end], &mut kept.clone()));
        }
    }

    #[test]
    fn what_is_pending_names_its_mapping(image in any_image(), mapping: i32) {
        let bytes = encode_pending(mapping, &image);
        prop_assert_eq!(decode_pending(&bytes), Ok((Some(mapping), image.clone())));
        prop_assert_eq!(decode_pending(&encode(&image)), Ok((None, image)));
    }

    #[test]
    fn a_cut_image_is_an_error(image in any_image(), at in any::<prop::sample::Index>()) {
        let bytes = encode(&image);
        prop_assert!(decode(&bytes[..at.index(bytes.len())]).is_err());
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = VERSION + *first % 3;
        }
        if let Ok(image) = decode(&bytes) {
            prop_assert_eq!(decode(&encode(&image)), Ok(image));
        }
    }

    #[test]
    fn tokens_come_back(tokens in prop::collection::vec(prop::option::of(".{0,9}"), 0..9)) {
        let bytes = encode_tokens(tokens.iter().map(Option::as_deref));
        let read = decode_tokens(&bytes);
        let want: Vec<Option<Box<str>>> =
            tokens.iter().map(|t| t.as_deref().map(Box::from)).collect();
        prop_assert_eq!(read, Ok(want));
    }
}

#[test]
fn a_future_version_is_named() {
    assert_eq!(decode(&[9, 0]), Err(CodecError::Version(9)));
}
