//! Whether synthetic carts can be made where `[synthetic]` is given: the only writes to the source.

use tokio_postgres::Client;

use super::mysql::grants::Grants;
use super::report::{End, Report};
use super::{CheckError, Schemas};
use crate::cart::image::{Cell, Image, Row};
use crate::cart::layout::{self, Layout};
use crate::catalog::{Catalog, TableInfo};
use crate::config::{Config, Synthetic};
use crate::mapping::compile;
use crate::mapping::expr::IdKey;
use crate::mapping::map::Mapper;
use crate::mysql::sql;
use crate::source::mysql::Session;
use crate::source::mysql::session::field;
use crate::source::postgres::tables::{quoted, quoted_name};
use crate::source::{AskError, Source};
use crate::sqltype::Class;
use crate::synthetic::plan::parts;
use crate::synthetic::template::{self, Known, Part};

const CHECK: &str = "synthetic carts";

pub async fn check(
    config: &Config,
    source: &Source,
    schemas: &Schemas,
    report: &mut Report,
) -> Result<(), CheckError> {
    let Some(synthetic) = &config.synthetic else {
        return Ok(());
    };
    let catalog = source.catalog(&synthetic.plan.tables()).await?;
    if !complete(synthetic, &catalog, report) {
        return Ok(());
    }
    match source {
        Source::Postgres(client) => postgres(client, synthetic, &catalog, report).await?,
        Source::Mysql(session) => mysql(session, synthetic, &catalog, report).await?,
    }
    indexes(synthetic, &catalog, report);
    live(config, synthetic, schemas, report);
    Ok(())
}

/// All tables and columns are there, and the server asks for no others.
fn complete(synthetic: &Synthetic, catalog: &Catalog, report: &mut Report) -> bool {
    let mut complete = true;
    let mut wrong = |message: String| {
        complete = false;
        report.fail(CHECK, End::Source, message, None);
    };
    for (table, _) in synthetic.plan.privileges() {
        if catalog.find(&table).is_none() {
            wrong(format!(
                "the source has no table {table}; correct [synthetic]"
            ));
        }
    }
    for made in &synthetic.plan.rows {
        let Some(table) = catalog.find(&made.table) else {
            continue;
        };
        let changed = synthetic.plan.changes.iter().filter(|c| c.row == made.name);
        let set = changed.flat_map(|change| change.set.iter());
        let named = made.values.iter().chain(set).map(|(column, _)| column);
        for column in named.chain(&made.returning) {
            if table.column(column).is_none() {
                wrong(format!(
                    "{} has no column {column}; correct [synthetic]",
                    made.table
                ));
            }
        }
        for column in &table.columns {
            let given = made.values.iter().any(|(name, _)| *name == column.name);
            let filled = column.has_default || column.identity || column.generated;
            if column.not_null && !filled && !given {
                wrong(format!(
                    "{} wants a value for {}: give it in `values` of [[synthetic.create]]",
                    made.table, column.name
                ));
            }
        }
    }
    complete
}

async fn postgres(
    client: &Client,
    synthetic: &Synthetic,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), AskError> {
    let row = client.query_one("SELECT current_user::text", &[]).await?;
    let role = quoted_name(row.try_get(0)?);
    for (name, needed) in synthetic.plan.privileges() {
        let Some(table) = catalog.find(&name) else {
            continue;
        };
        let full = quoted(&table.schema, &table.name);
        let mut lacking = Vec::new();
        for privilege in needed {
            let sql = "SELECT pg_catalog.has_table_privilege($1::text, $2::text)";
            let row = client.query_one(sql, &[&full, &privilege]).await?;
            if !row.try_get::<_, bool>(0)? {
                lacking.push(privilege);
            }
        }
        said(&role, &full, &lacking, report);
        let inserts = synthetic.plan.rows.iter().filter(|made| made.table == name);
        for made in inserts {
            sequences(client, &role, table, &made.values, report).await?;
        }
    }
    Ok(())
}

/// A default that takes a number of a sequence needs a right of its own; identity columns do not.
async fn sequences(
    client: &Client,
    role: &str,
    table: &TableInfo,
    values: &[(String, String)],
    report: &mut Report,
) -> Result<(), AskError> {
    let sql = "
        SELECT a.attname::text, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(s.relname)
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        JOIN pg_catalog.pg_depend r ON r.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
            AND r.objid = d.oid AND r.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        JOIN pg_catalog.pg_class s ON s.oid = r.refobjid AND s.relkind = 'S'
        JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
        WHERE a.attrelid = $1::text::pg_catalog.regclass AND a.attidentity = ''
          AND CASE WHEN s.relkind = 'S'
                   THEN NOT pg_catalog.has_sequence_privilege(s.oid, 'USAGE') ELSE false END";
    let full = quoted(&table.schema, &table.name);
    for row in client.query(sql, &[&full]).await? {
        let (column, sequence): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if !values.iter().any(|(name, _)| *name == column) {
            report.fail(
                CHECK,
                End::Source,
                format!("{role} may not take numbers of {sequence}, which {full} needs"),
                Some(format!("GRANT USAGE ON SEQUENCE {sequence} TO {role}")),
            );
        }
    }
    Ok(())
}

async fn mysql(
    session: &Session,
    synthetic: &Synthetic,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), AskError> {
    let row = session.first("SELECT current_user() AS user").await?;
    let user: String = field(&row.ok_or(AskError::Answer)?, "user")?;
    let mut lines = Vec::new();
    for row in session.plain("SHOW GRANTS").await? {
        lines.extend(row.get_opt::<String, _>(0).and_then(Result::ok));
    }
    let grants = Grants::read(lines.iter().map(String::as_str));
    for (name, needed) in synthetic.plan.privileges() {
        let Some(table) = catalog.find(&name) else {
            continue;
        };
        let has = |privilege: &&str| grants.has(privilege, &table.schema, &table.name);
        let lacking: Vec<&str> = needed.into_iter().filter(|p| !has(p)).collect();
        let full = sql::qualified(&table.schema, &table.name);
        said(&sql::account(&user), &full, &lacking, report);
    }
    Ok(())
}

fn said(role: &str, table: &str, lacking: &[&str], report: &mut Report) {
    if lacking.is_empty() {
        let message = format!("{role} may write marked rows into {table}");
        report.pass(CHECK, End::Source, message);
        return;
    }
    let all = lacking.join(", ");
    report.fail(
        CHECK,
        End::Source,
        format!("{role} has no {all} on {table}, which [synthetic] writes"),
        Some(format!("GRANT {all} ON {table} TO {role}")),
    );
}

/// Our rows are looked for by what marks them: without an index the whole table is read.
fn indexes(synthetic: &Synthetic, catalog: &Catalog, report: &mut Report) {
    for made in &synthetic.plan.rows {
        let Some(table) = catalog.find(&made.table) else {
            continue;
        };
        let leads = |column: &String| {
            let keys = table.indexes.iter().chain(&table.uniques);
            keys.chain([&table.primary_key])
                .any(|index| index.first() == Some(column))
        };
        if !made.ties().any(|(column, _)| leads(column)) {
            let columns: Vec<&str> = made.ties().map(|(column, _)| column.as_str()).collect();
            report.warn(
                CHECK,
                End::Source,
                format!(
                    "no index of {} begins with {}: where a daemon was killed in between, the whole \
                     table is read to find a row of ours",
                    made.table,
                    columns.join(" or ")
                ),
                None,
            );
        }
    }
}

/// Whether a change of this plan arrives: one of the columns that it sets must be read by the mapping,
/// and become another than it was made.
fn changes(synthetic: &Synthetic, layout: &Layout, source: &Catalog, report: &mut Report) {
    let changes = &synthetic.plan.changes;
    let is_read = |table: &TableInfo, column: &str| {
        let is = |t: &&layout::Table| (&t.schema, &t.name) == (&table.schema, &table.name);
        let table = layout.tables.iter().find(is);
        table.is_some_and(|table| table.columns.iter().any(|c| c.name == column))
    };
    let mut named = Vec::new();
    let mut read = Vec::new();
    for change in changes {
        let Some(made) = synthetic.plan.row(&change.row) else {
            continue;
        };
        let Some(table) = source.find(&made.table) else {
            // The mapping knows nothing of it.
            named.extend(
                change
                    .set
                    .iter()
                    .map(|(c, _)| format!("{}.{c}", made.table)),
            );
            continue;
        };
        for (column, value) in &change.set {
            named.push(format!("{}.{column}", table.name));
            if is_read(table, column) {
                let was = made.values.iter().find(|(name, _)| name == column);
                read.push(was.is_none_or(|(_, was)| was != value || !is_constant(value)));
            }
        }
    }
    if changes.is_empty() || read.contains(&true) {
        return;
    }
    let named = named.join(", ");
    let message = match read.is_empty() {
        true => format!(
            "nothing that [[synthetic.change]] sets is read by the mapping ({named}): no change would \
             arrive, and each would fail at its deadline; set a column that is mapped"
        ),
        false => format!(
            "[[synthetic.change]] sets what is read by the mapping to what it is ({named}): no change \
             would arrive, and each would fail at its deadline; set another value"
        ),
    };
    report.fail(CHECK, End::Source, message, None);
}

/// Whether a template gives the same value wherever it stands.
fn is_constant(value: &str) -> bool {
    let differs = |part: &Part| matches!(part, Part::Uuid | Part::Now);
    !parts(value).iter().any(differs)
}

/// Whether a cart of this plan is one that is moved.
fn live(config: &Config, synthetic: &Synthetic, schemas: &Schemas, report: &mut Report) {
    let whole = schemas.whole_target();
    let Ok(compiled) = compile::compile(config, &schemas.source, &whole) else {
        return;
    };
    let mapper = Mapper {
        mapping: compiled.mapping,
        id: 0,
        secret: IdKey::of(b"check"),
    };
    changes(synthetic, mapper.layout(), &schemas.source, report);
    let (image, guessed) = image(synthetic, &mapper, &schemas.source);
    if mapper.mapping.live.is_none() {
        return;
    }
    match mapper.live(&image) {
        Ok(true) => report.pass(CHECK, End::Source, "[cart] live lets them through"),
        Ok(false) | Err(_) => {
            let mut message = "[cart] live does not let a cart through that is made like this: it \
                               would never arrive"
                .to_owned();
            if !guessed.is_empty() {
                message += &format!(
                    " (unless it is let through by what the server fills in: {})",
                    guessed.join(", ")
                );
            }
            report.warn(CHECK, End::Source, message, None);
        }
    }
}

/// The cart as it would be read, and the columns of which only the server knows the value.
fn image(synthetic: &Synthetic, mapper: &Mapper, source: &Catalog) -> (Image, Vec<String>) {
    let layout = mapper.layout();
    let mut image = Image::empty(layout);
    let mut guessed = Vec::new();
    let mut known = Known::of("check", 1);
    for made in &synthetic.plan.rows {
        for (column, value) in &made.values {
            let at = format!("{}.{column}", made.name);
            if let Some(value) = template::render(&parts(value), &known, &at) {
                known.values.insert(at, value);
            }
        }
        if let Some(back) = &made.returning {
            known
                .values
                .insert(format!("{}.{back}", made.name), "1".to_owned());
        }
        let Some(info) = source.find(&made.table) else {
            continue;
        };
        let is = |t: &&layout::Table| (&t.schema, &t.name) == (&info.schema, &info.name);
        let Some(at) = layout.tables.iter().position(|t| is(&t)) else {
            continue;
        };
        let cells = layout.tables[at].columns.iter().map(|column| {
            match known.values.get(&format!("{}.{}", made.name, column.name)) {
                Some(value) if column.ty.class == Class::Bool => {
                    let truth = matches!(value.as_str(), "1" | "t" | "true" | "on" | "yes");
                    Cell::Text(if truth { "t" } else { "f" }.into())
                }
                Some(value) => Cell::Text(value.as_str().into()),
                None => {
                    let filled = info.column(&column.name).is_some_and(|c| c.has_default);
                    if filled {
                        guessed.push(format!("{}.{}", info.name, column.name));
                    }
                    Cell::Null
                }
            }
        });
        let cells = cells.collect();
        image.tables[at].push(Row { cells, stamp: 0 });
    }
    if let Some(carrier) = layout.carrier()
        && let Some(row) = image.tables[carrier].first()
    {
        let cells = layout.made_header(&row.cells);
        image.tables[0].push(Row { cells, stamp: 0 });
    }
    (image, guessed)
}
