//! What `[synthetic]` must say, so that no row of a customer can be taken for one of ours.

use super::{CART, INTO, problems, with};

const MARKED: &str = "[[synthetic.create]]\ntable = 'orders'\nvalues = { email = '{marker}@x' }\n";

/// What is wrong with a plan.
fn wrong(plan: &str) -> String {
    problems(&with(&format!("{plan}\n{CART}{INTO}"))).join("\n")
}

#[test]
fn a_plan_that_could_meet_a_customers_row_is_refused() {
    let line = |values: &str| {
        format!("{MARKED}[[synthetic.create]]\ntable = 'order_lines'\nvalues = {{ {values} }}")
    };
    for (plan, says) in [
        (
            "[synthetic]".to_owned(),
            "`create` is missing in [synthetic]",
        ),
        (
            "[[synthetic.create]]\ntable = 'orders'\nvalues = { id = '9{n}' }".to_owned(),
            "nothing tells this row from a customer's",
        ),
        (
            line("sku = 'x'"),
            "nothing tells this row from a customer's",
        ),
        (
            line("order_id = '{orders.id}'"),
            "{orders.id} is no value of a row before",
        ),
        (line("sku = '{marker'"), "a single brace is doubled"),
        (
            format!("{MARKED}[[synthetic.change]]\nrow = 'lines'\nset = {{ qty = 2 }}"),
            "no row of [[synthetic.create]] is called `lines`",
        ),
        (
            format!("{MARKED}[[synthetic.change]]\nrow = 'orders'\nset = {{ email = 'x' }}"),
            "`email` is what the row is found again by",
        ),
        (
            format!("{MARKED}[[synthetic.remove]]\ntable = 'log'\nwhere = {{ kind = 1 }}"),
            "nothing tells this row from a customer's",
        ),
        (format!("{MARKED}{MARKED}"), "two rows are called `orders`"),
    ] {
        let said = wrong(&plan);
        assert!(said.contains(says), "{plan}\n{said}");
    }
}

#[test]
fn a_plan_asks_for_no_more_than_it_does() {
    let plan = format!(
        "{MARKED}returning = 'id'\n[[synthetic.create]]\ntable = 'order_lines'\n\
         values = {{ order_id = '{{orders.id}}', qty = 1 }}\n\
         [[synthetic.change]]\nrow = 'order_lines'\nset = {{ qty = 2 }}\n\
         [[synthetic.remove]]\ntable = 'history'\nwhere = {{ order_id = '{{orders.id}}' }}\n"
    );
    let text = with(&format!("{plan}{CART}{INTO}"));
    let config = crate::config::Config::parse(&text, std::path::Path::new("c"));
    let config = config.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let plan = config.synthetic.expect("a plan").plan;
    let needed = [
        ("orders", vec!["SELECT", "INSERT", "DELETE"]),
        ("order_lines", vec!["SELECT", "INSERT", "UPDATE", "DELETE"]),
        ("history", vec!["SELECT", "DELETE"]),
    ];
    let needed = needed.map(|(table, privileges)| (table.to_owned(), privileges));
    assert_eq!(plan.privileges(), needed);
}
