//! What can be said of a cart while an end is away: by the ledger and the target without the source, by
//! the source without the target.

use serde_json::{Value, json};

use super::document::Known;
use super::facts::{Conclusion, Verdict, quoted};
use super::read::Explained;
use super::rows;
use super::why::Why;
use crate::cart::image::Image;
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::mapping::compile::recompile;
use crate::mapping::compile::stored::StoredSchemas;
use crate::mapping::expr::IdKey;
use crate::mapping::map::Mapper;
use crate::mapping::plan::Mapping;
use crate::refresh::read;
use crate::source::{AskError, Source};
use crate::status;
use crate::target::control::mapping_row;
use crate::target::control::pipeline::PipelineRow;
use crate::target::error::TargetError;
use crate::target::found::{self, Ask};
use crate::target::ledger::{Entry, LedgerError};
use crate::target::session::Target;

/// The mapping that the daemon applied last, from the control tables alone; none where it never ran.
pub async fn mapping_in_force(
    target: &Target,
    pipeline: &PipelineRow,
) -> Result<Option<Mapping>, TargetError> {
    match pipeline.mapping {
        Some(id) => stored(target, id).await,
        None => Ok(None),
    }
}

async fn stored(target: &Target, id: i32) -> Result<Option<Mapping>, TargetError> {
    let Some(row) = mapping_row::by_id(target, id).await? else {
        return Ok(None);
    };
    let schemas = serde_json::from_value::<StoredSchemas>(row.layout).ok();
    Ok(schemas.and_then(|schemas| recompile(&row.config, &schemas).ok()))
}

/// `why` says why the source cannot be asked.
pub async fn without_source(
    target: &Target,
    pipeline: &PipelineRow,
    secret: &IdKey,
    cart: &CartKey,
    why: &str,
) -> Result<Explained, LedgerError> {
    let status = status::look(target, Err(why), pipeline).await?;
    let known = Known::of(target, status, pipeline, cart, pipeline.mapping).await?;
    let mut there = Vec::new();
    let ledger = match &known.entry {
        None => "the ledger does not know it: it was never brought over".to_owned(),
        Some(entry) => {
            let (text, rows) = as_left(target, secret, cart, entry).await?;
            there = rows;
            let at = known.status.spelling.show(entry.position.lsn);
            format!("by the ledger it is {} at {at}; {text}", entry.state.name())
        }
    };
    let conclusion = Conclusion {
        why: Why::SourceAway,
        verdict: Verdict::NotKnown,
        text: format!(
            "the source cannot be asked ({why}), so nobody can say whether this is how the cart should \
             be; {ledger}. The daemon waits for the source and goes on by itself"
        ),
        next: Some("cartage status".to_owned()),
    };
    let mut document = json!({
        "cart": cart.as_str(),
        "conclusion": conclusion,
        "outcome": null,
        "differences": [],
        "beside": [],
        "source": { "there": null, "live": null, "rows": null, "unreachable": why },
        "target": there,
        "positions": known.positions(None),
        "stalled": known.stalled(pipeline).map(|stalled| stalled.why),
    });
    known.add_to(&mut document);
    Ok(Explained {
        conclusion,
        document,
    })
}

/// Whether the target holds the cart as cartage left it, and the rows that are there.
async fn as_left(
    target: &Target,
    secret: &IdKey,
    cart: &CartKey,
    entry: &Entry,
) -> Result<(String, Vec<Value>), TargetError> {
    let Some(mapping) = stored(target, entry.mapping).await? else {
        let text = "the mapping that it was written by cannot be read";
        return Ok((text.to_owned(), Vec::new()));
    };
    let mapper = Mapper {
        mapping,
        id: entry.mapping,
        secret: secret.clone(),
    };
    let wanted = rows::wanted(&mapper, cart, None, Some(entry));
    let asked = wanted.iter().map(|wanted| &wanted.row);
    let found = found::find(target, &mapper.mapping, asked, Ask::State).await?;
    let (gone, own) = (
        rows::gone(&wanted, &found),
        rows::own(&mapper, &wanted, &found),
    );
    let text = match (gone, own.is_empty()) {
        _ if rows::closed(&mapper, &wanted, &found) => {
            "the new backend has closed it in the target".to_owned()
        }
        (0, true) => "the target holds what cartage last left there".to_owned(),
        (0, false) => format!(
            "the target holds something else than the source last gave in: {}",
            own.join(", ")
        ),
        (gone, true) => format!("{gone} rows that cartage left in the target are not there"),
        (gone, false) => format!(
            "{gone} rows that cartage left in the target are not there, and it holds something else in: \
             {}",
            own.join(", ")
        ),
    };
    Ok((text, rows::target_rows(&mapper, &wanted, &found)))
}

/// `why` says why the target cannot be asked. Without it nobody knows a mapping: of the source's rows
/// only their number is told.
pub async fn without_target(
    source: &Source,
    layout: &Layout,
    pipeline: &str,
    cart: &CartKey,
    why: &str,
) -> Result<Explained, AskError> {
    let image = image(source, layout, cart).await?;
    let counts = image.map_or_else(Vec::new, |image| counts(layout, &image));
    let has = match counts.is_empty() {
        true => "the source has no such cart".to_owned(),
        false => {
            let each = counts
                .iter()
                .map(|(table, rows)| format!("{rows} of {table}"));
            let each: Vec<String> = each.collect();
            format!("the source has it (rows: {})", each.join(", "))
        }
    };
    let conclusion = Conclusion {
        why: Why::TargetAway,
        verdict: Verdict::NotKnown,
        text: format!(
            "the target cannot be asked ({why}), and with it all that cartage knows of a cart; {has}. \
             Nothing is lost meanwhile: the source keeps its log, and the daemon goes on by itself once \
             the target is back"
        ),
        next: Some(format!(
            "systemctl status {}",
            quoted(&format!("cartage@{pipeline}"))
        )),
    };
    let document = json!({
        "cart": cart.as_str(),
        "conclusion": conclusion,
        "source": { "there": !counts.is_empty(), "counts": counts },
        "target": { "unreachable": why },
    });
    Ok(Explained {
        conclusion,
        document,
    })
}

async fn image(
    source: &Source,
    layout: &Layout,
    cart: &CartKey,
) -> Result<Option<Image>, AskError> {
    source.glance().await?;
    let read = read::carts(source, layout, None, std::slice::from_ref(cart)).await;
    source.close().await?;
    Ok(read?.0.pop().and_then(|read| read.image))
}

/// How many rows of each table the cart has.
fn counts(layout: &Layout, image: &Image) -> Vec<(String, usize)> {
    let tables = layout.tables.iter().zip(&image.tables);
    let each = tables.filter(|(table, rows)| !table.is_made() && !rows.is_empty());
    each.map(|(table, rows)| (format!("{}.{}", table.schema, table.name), rows.len()))
        .collect()
}
