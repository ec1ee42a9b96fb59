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
    Box::new([Cell::Text(id.into()), Cell::Text(above.into())])
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
    assert_eq!((carts(&unknown).len(), unknown.questions.len()), (0, 1));
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
    assert_eq!((carts(&circle).len(), circle.questions.len()), (0, 1));
}
