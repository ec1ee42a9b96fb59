//! `cartage preview`: what carts of the source would become, nothing written.

mod choose;
mod text;

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::{CommandError, ends, keys};
use crate::cart::answers::{Answer, Given};
use crate::cart::image::{Cell, Image};
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::config::Config;
use crate::lookup::{Asker, Open, Unallocated};
use crate::mapping::expr::IdKey;
use crate::mapping::map::{Mapper, TargetRow};
use crate::mapping::plan::Mapping;
use crate::refresh::read;

/// Show the source rows of carts beside the target rows that they become, and which expression made
/// each value. Writes nothing, and works before setup. Prints shop data.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Example: cartage preview 4711 4712\n         cartage preview --random 3")]
pub struct PreviewArgs {
    /// Carts by key; a key of several columns is joined by |
    #[arg(value_name = "CART", required_unless_present_any = ["from_file", "random"])]
    pub carts: Vec<String>,
    /// And those of this file, one key a line; - is stdin
    #[arg(long, value_name = "FILE")]
    pub from_file: Option<PathBuf>,
    /// And so many live carts at random
    #[arg(long, value_name = "N")]
    pub random: Option<usize>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// The key of ids that are only shown.
const PLACEHOLDER: &[u8] = b"preview";

pub async fn run(config: &Config, args: PreviewArgs) -> Result<ExitCode, CommandError> {
    let source = ends::source(config, "preview").await?;
    let target = ends::target(config, "preview").await?;
    let mapping = ends::compiled(config, &source, &target).await?.mapping;
    let known = match &config.ids_secret {
        Some(secret) => Some(secret.0.clone().into_bytes()),
        None => ends::find_pipeline(config, &target)
            .await?
            .and_then(|pipeline| pipeline.ids_secret)
            .map(|secret| secret.0),
    };
    let placeholder = known.is_none() && mapping.uses_secret();
    if placeholder {
        eprintln!(
            "note: setup has not made the key of keyed_id and uuid_v5 yet; these ids are shown \
             under a placeholder, and will be others"
        );
    }
    let mut typed = args.carts;
    if let Some(path) = &args.from_file {
        typed.extend(choose::from_file(path)?);
    }
    let mut carts = keys::carts(&source, &mapping, &typed).await?;
    if let Some(count) = args.random {
        carts.extend(choose::at_random(&source, &mapping, count).await?);
    }
    let mut seen = HashSet::new();
    carts.retain(|cart| seen.insert(cart.clone()));
    let mapper = Mapper {
        mapping,
        id: 0,
        secret: IdKey::of(known.as_deref().unwrap_or(PLACEHOLDER)),
    };
    let layout = mapper.layout();
    source.open().await?;
    let (mut reads, _) = read::carts(&source, layout, mapper.mapping.changed_at, &carts).await?;
    source.close().await?;
    let asker = Asker::connect(config, &mapper.mapping, Unallocated::Show).await;
    let asker = asker.map_err(CommandError::failed)?;
    let images = reads.iter_mut().filter_map(|read| read.image.as_mut());
    let again = false;
    let open = images
        .map(|image| Open {
            image,
            again,
            frozen: None,
        })
        .collect();
    let filled = asker.fill(&mapper, open).await;
    filled.map_err(CommandError::failed)?;
    let documents: Vec<Value> = reads
        .iter()
        .map(|read| document(config, &mapper, &read.cart, read.image.as_ref()))
        .collect();
    if args.json {
        println!(
            "{}",
            json!({ "placeholder_ids": placeholder, "carts": documents })
        );
    } else {
        documents
            .iter()
            .for_each(|cart| print!("{}", text::text(cart)));
    }
    match documents.iter().find(|cart| cart["found"] == false) {
        Some(cart) => Err(CommandError::failed(format!(
            "the source has no cart {}",
            cart["cart"].as_str().unwrap_or_default()
        ))),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn document(config: &Config, mapper: &Mapper, cart: &CartKey, image: Option<&Image>) -> Value {
    let live = image.map(|image| mapper.live(image));
    // A cart that is not live has no target rows of its own; what it would be is still shown.
    let (target, mut problem) = match image.map(|image| mapper.map(image)) {
        None => (Vec::new(), None),
        Some(Ok(rows)) => (rows, None),
        Some(Err(why)) => (Vec::new(), Some(why.to_string())),
    };
    if let Some(Err(why)) = &live {
        problem = Some(why.clone());
    }
    json!({
        "cart": cart.as_str(),
        "found": image.is_some(),
        "live": live.and_then(Result::ok),
        "problem": problem,
        "source": image.map_or_else(Vec::new, |image| source_rows(mapper.layout(), image)),
        "lookups": image.map_or_else(Vec::new, |image| answers(&mapper.mapping, image)),
        "target": target.iter().map(|row| target_row(config, &mapper.mapping, image, row)).collect::<Vec<_>>(),
    })
}

/// What was asked for the cart beyond its rows, and what the answers were.
fn answers(mapping: &Mapping, image: &Image) -> Vec<Value> {
    let answer = |answer: &Answer| {
        let lookup = mapping.lookups.get(answer.question.lookup)?;
        let matches = lookup.matches.iter().map(|c| c.name.as_str());
        let args = matches.zip(&*answer.question.args);
        let (found, row) = match &answer.given {
            Given::Row(cells) => {
                let get = lookup.get.iter().map(|c| c.name.as_str());
                ("a row", object(get.zip(cells.iter())))
            }
            Given::Missing => ("no row", Map::new()),
            Given::Ambiguous => ("more than one row", Map::new()),
        };
        Some(json!({
            "lookup": lookup.name,
            "table": lookup.full_name(),
            "match": args.map(|(name, arg)| (name.to_owned(), (&**arg).into())).collect::<Map<String, Value>>(),
            "found": found,
            "row": row,
        }))
    };
    image.answers.iter().filter_map(answer).collect()
}

fn source_rows(layout: &Layout, image: &Image) -> Vec<Value> {
    let tables = layout.tables.iter().zip(&image.tables);
    tables
        .filter(|(table, _)| !table.is_made())
        .flat_map(|(table, rows)| {
            rows.iter().map(move |row| {
                let columns = table.columns.iter().map(|column| column.name.as_str());
                json!({
                    "table": format!("{}.{}", table.schema, table.name),
                    "row": object(columns.zip(&*row.cells)),
                })
            })
        })
        .collect()
}

/// `source` is the place among the cart's source rows of the one that it stands for.
fn target_row(config: &Config, mapping: &Mapping, image: Option<&Image>, row: &TargetRow) -> Value {
    let into = &mapping.intos[row.into];
    let mut object = object(
        into.columns
            .iter()
            .map(|c| c.name.as_str())
            .zip(&*row.cells),
    );
    for (at, (column, text)) in into.key.iter().zip(&*row.key).enumerate() {
        object.shift_insert(at, column.name.clone(), (&**text).into());
    }
    let before = |(table, at): (usize, usize)| {
        let tables = image.map(|image| image.tables.iter().take(table));
        tables
            .into_iter()
            .flatten()
            .map(|rows| rows.len())
            .sum::<usize>()
            + at
    };
    // As many as there are in the file, in its order: each of them compiles to one.
    let texts = config.into.get(row.into).map(|into| {
        let columns = into.columns.iter();
        columns.map(|c| (c.name.get_ref().clone(), c.value.get_ref().as_str().into()))
    });
    json!({
        "table": into.full_name(),
        "row": object,
        "from": texts.into_iter().flatten().collect::<Map<String, Value>>(),
        "source": row.origin.map(before),
    })
}

fn object<'a>(cells: impl Iterator<Item = (&'a str, &'a Cell)>) -> Map<String, Value> {
    cells
        .map(|(name, cell)| (name.to_owned(), cell.text().into()))
        .collect()
}
