//! A row's cart, at the end of the way up.

use super::*;
use crate::cart::layout::{Column, Table};
use crate::sqltype::SqlType;

const LINE: usize = 1;
const OPTION: usize = 2;
const FILE: usize = 3;

/// Tables that hang one below the other, the first below nothing: carts, lines that name their cart,
/// and rows that name the one above. Each has a key and what it hangs below.
pub(crate) fn router(tables: &[&str]) -> Router {
    let table = |(at, name): (usize, &&str)| Table {
        alias: (*name).into(),
        schema: "public".into(),
        name: (*name).into(),
        columns: ["id", "above"]
            .map(|name| Column {
                name: name.into(),
                ty: SqlType::parse("integer"),
                not_null: true,
                bytewise: true,
            })
            .into(),
        key: vec![0],
        cart: [0, 1].get(at).map(|column| vec![*column]),
        parent: (at > LINE).then(|| (at - 1, vec![1])),
    };
    let tables = tables.iter().enumerate().map(table).collect();
    let remembered = NonZeroUsize::new(10_000).expect("not zero");
    Router::new(Arc::new(Layout { tables }), remembered, true)
}

const SHOP: [&str; 4] = ["cart", "line", "option", "file"];

fn row(id: &str, above: &str) -> Cells {
    Arc::new([Cell::Text(id.into()), Cell::Text(above.into())])
}

fn insert(router: &mut Router, table: usize, id: &str, above: &str) -> Routing {
    let new = row(id, above);
    let op = Op::Insert { new };
    router.route(Change { table, op }).expect("traceable")
}

fn update(router: &mut Router, table: usize, id: &str, above: [&str; 2]) -> Routing {
    let [old, new] = above.map(|above| row(id, above));
    let old = Some(old);
    let op = Op::Update { old, new };
    router.route(Change { table, op }).expect("traceable")
}

fn carts(routing: &Routing) -> Vec<String> {
    let action = routing.action.iter();
    action
        .flat_map(Action::carts)
        .map(CartKey::to_string)
        .collect()
}

/// It has no cart until somebody says.
#[track_caller]
fn assert_asks(routing: &Routing) {
    let asked = routing.questions.len();
    assert_eq!((carts(routing).len(), asked), (0, 1));
}

#[test]
fn what_hangs_below_a_row_that_moved_has_moved() {
    let mut router = router(&SHOP);
    insert(&mut router, LINE, "1", "A");
    insert(&mut router, OPTION, "2", "1");
    assert_eq!(carts(&insert(&mut router, FILE, "3", "2")), ["A"]);
    assert_eq!(
        carts(&update(&mut router, LINE, "1", ["A", "B"])),
        ["A", "B"]
    );
    assert_eq!(carts(&update(&mut router, FILE, "3", ["2", "2"])), ["B"]);
    // An option that goes to a line of which nothing is known has no cart until somebody says.
    assert_eq!(carts(&update(&mut router, OPTION, "2", ["1", "9"])), ["B"]);
    let unknown = insert(&mut router, FILE, "4", "2");
    assert_asks(&unknown);
    insert(&mut router, LINE, "9", "C");
    assert_eq!(carts(&update(&mut router, FILE, "3", ["2", "2"])), ["C"]);
}

#[test]
fn rows_in_a_circle_have_no_cart() {
    let mut router = router(&SHOP);
    let mut tables = router.layout.tables.clone();
    tables[LINE].cart = None;
    tables[LINE].parent = Some((LINE, vec![1]));
    router = Router::new(Arc::new(Layout { tables }), router.above.cap(), true);
    insert(&mut router, LINE, "1", "2");
    let circle = insert(&mut router, LINE, "2", "1");
    assert_asks(&circle);
}

/// A cart as it was read, with these lines and options, each with what it hangs below.
fn read(router: &mut Router, lines: &[[&str; 2]], options: &[[&str; 2]]) {
    let rows = |rows: &[[&str; 2]]| {
        let rows = rows.iter().map(|[id, above]| Row {
            cells: row(id, above),
            stamp: 0,
        });
        rows.collect()
    };
    let mut image = Image::empty(&router.layout);
    image.tables[LINE] = rows(lines);
    image.tables[OPTION] = rows(options);
    router.learn_image(&image);
}

#[test]
fn a_read_does_not_undo_what_the_log_has_told_since_it_began() {
    let mut router = router(&SHOP);
    insert(&mut router, LINE, "1", "A");
    insert(&mut router, OPTION, "2", "1");
    router.read_begins();
    update(&mut router, LINE, "1", ["A", "B"]);
    update(&mut router, LINE, "1", ["B", "C"]);
    update(&mut router, OPTION, "2", ["1", "9"]);
    read(&mut router, &[["1", "A"], ["5", "A"]], &[["2", "1"]]);
    assert_eq!(carts(&insert(&mut router, OPTION, "3", "1")), ["C"]);
    assert_eq!(carts(&insert(&mut router, OPTION, "6", "5")), ["A"]);
    let unknown = insert(&mut router, FILE, "4", "2");
    assert_asks(&unknown);
}

#[test]
fn a_read_makes_up_for_what_the_log_has_not_told_before() {
    let mut router = router(&SHOP);
    insert(&mut router, LINE, "1", "A");
    router.read_begins();
    read(&mut router, &[["1", "B"]], &[]);
    assert_eq!(carts(&insert(&mut router, OPTION, "2", "1")), ["B"]);
}

#[test]
fn nothing_is_learned_of_a_read_after_more_than_is_remembered() {
    let mut router = router(&SHOP);
    let layout = router.layout.clone();
    router = Router::new(layout, NonZeroUsize::new(2).expect("not zero"), true);
    router.read_begins();
    update(&mut router, LINE, "1", ["A", "B"]);
    insert(&mut router, LINE, "2", "A");
    insert(&mut router, LINE, "3", "A");
    read(&mut router, &[["1", "A"]], &[]);
    let unknown = insert(&mut router, OPTION, "4", "1");
    assert_asks(&unknown);
}

#[test]
fn what_hangs_below_a_row_that_has_no_cart_has_none() {
    let mut router = router(&SHOP);
    insert(&mut router, LINE, "1", "A");
    let old = Some(row("1", "A"));
    let new: Cells = Arc::new([Cell::Text("1".into()), Cell::Null]);
    let op = Op::Update { old, new };
    let left = router.route(Change { table: LINE, op }).expect("traceable");
    assert_eq!(carts(&left), ["A"]);
    let below = insert(&mut router, OPTION, "2", "1");
    assert_eq!(below, Routing::default());
}

#[test]
fn a_row_that_left_a_cart_moves_from_it_to_the_next() {
    let mut router = router(&SHOP);
    insert(&mut router, LINE, "1", "A");
    let delete = |router: &mut Router, id: &str, above: &str| {
        let old = row(id, above);
        let op = Op::Delete { old };
        router.route(Change { table: LINE, op }).expect("traceable")
    };
    assert_eq!(carts(&delete(&mut router, "1", "A")), ["A"]);
    assert_eq!(carts(&insert(&mut router, LINE, "1", "B")), ["A", "B"]);
    // Once it is there, nothing is left of the way; and back in its own cart it has not moved.
    assert_eq!(carts(&delete(&mut router, "1", "B")), ["B"]);
    assert_eq!(carts(&insert(&mut router, LINE, "1", "B")), ["B"]);
    let nobody: Cells = Arc::new([Cell::Text("1".into()), Cell::Null]);
    for (old, new, expected) in [
        (row("1", "B"), nobody.clone(), &["B"][..]),
        (nobody, row("1", "C"), &["B", "C"][..]),
    ] {
        let old = Some(old);
        let op = Op::Update { old, new };
        let routed = router.route(Change { table: LINE, op }).expect("traceable");
        assert_eq!(carts(&routed), expected);
    }
}

#[test]
fn the_first_line_of_one_cart_is_not_that_of_another() {
    let mut router = router(&SHOP);
    let mut tables = router.layout.tables.clone();
    tables[LINE].key = vec![1, 0];
    router = Router::new(Arc::new(Layout { tables }), router.above.cap(), true);
    insert(&mut router, LINE, "1", "A");
    let old = row("1", "A");
    let op = Op::Delete { old };
    let deleted = router.route(Change { table: LINE, op }).expect("traceable");
    assert_eq!(carts(&deleted), ["A"]);
    assert_eq!(carts(&insert(&mut router, LINE, "1", "B")), ["B"]);
}
