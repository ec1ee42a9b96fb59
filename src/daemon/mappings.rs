//! The mapping in force and its forerunners: a changed mapping is noticed at the start, and applied
//! from the stored images (protocol rule 14).

use std::collections::HashMap;
use std::sync::Arc;

use tracing::info;

use super::DaemonError;
use crate::cart::codec;
use crate::cart::layout::Layout;
use crate::lanes::known::Mappers;
use crate::mapping::compile::stored::StoredSchemas;
use crate::mapping::compile::{Compiled, recompile_kept};
use crate::mapping::expr::IdKey;
use crate::mapping::map::Mapper;
use crate::mapping::plan::Mapping;
use crate::params;
use crate::refresh::runs::{self, Kind};
use crate::source::change::Lsn;
use crate::switch::{self, Mutant, Place};
use crate::target::control::mapping_row;
use crate::target::control::pipeline::PipelineRow;
use crate::target::session::Target;

/// Stores the mapping, and begins what a change of it asks for.
pub async fn install(
    control: &Target,
    pipeline: &PipelineRow,
    compiled: Compiled,
    secret: IdKey,
    at: Lsn,
) -> Result<Mappers, DaemonError> {
    let schemas = serde_json::to_value(&compiled.schemas)
        .map_err(|error| DaemonError::Broken(error.to_string()))?;
    if let Some(before) = pipeline.mapping {
        begin_anew(control, before, &compiled.hash).await?;
    }
    let id = mapping_row::insert(
        control,
        pipeline.id,
        &compiled.hash,
        i32::from(codec::VERSION),
        &compiled.text,
        &schemas,
    )
    .await
    .map_err(DaemonError::Target)?;
    let former = former(control, pipeline.id, id, &secret).await?;
    if pipeline.mapping != Some(id) {
        switch::place(Place::MappingStored);
        if let Some(before) = pipeline.mapping {
            begin_change(control, pipeline.id, before, id, &compiled, &former, at).await?;
            switch::place(Place::MappingBegun);
        }
        control
            .execute(
                "UPDATE cartage.pipeline SET mapping = $2 WHERE id = $1",
                params![pipeline.id, id],
            )
            .await
            .map_err(DaemonError::Target)?;
        switch::place(Place::MappingInForce);
    }
    let mapping = compiled.mapping;
    Ok(Mappers {
        live_reads: live_reads(&mapping),
        trusted_births: mapping.trusted_births,
        current: Arc::new(Mapper {
            mapping,
            id,
            secret,
        }),
        former,
    })
}

/// Where the target lost columns under a mapping and has them again, the same mapping is another one:
/// what the carts had of it is only the rest, and the step from there to here writes those columns.
async fn begin_anew(control: &Target, before: i32, hash: &str) -> Result<(), DaemonError> {
    let stored = mapping_row::by_id(control, before)
        .await
        .map_err(DaemonError::Target)?
        .filter(|stored| stored.hash == hash);
    let Some(stored) = stored else {
        return Ok(());
    };
    let schemas = serde_json::from_value::<StoredSchemas>(stored.layout.clone());
    let lost = schemas.map_or(Vec::new(), |schemas| schemas.lost);
    if lost.is_empty() {
        return Ok(());
    }
    for lost in lost {
        info!(
            table = format!("{}.{}", lost.schema, lost.table),
            column = lost.column,
            "a column of the target was gone and is back: it is written anew for every cart"
        );
    }
    mapping_row::retire(control, &stored)
        .await
        .map_err(DaemonError::Target)
}

/// The mappings that ledger rows may still refer to.
async fn former(
    control: &Target,
    pipeline: i32,
    current: i32,
    secret: &IdKey,
) -> Result<HashMap<i32, Arc<Mapper>>, DaemonError> {
    let rows = control
        .query(
            "SELECT id FROM cartage.mapping m WHERE pipeline = $1 AND id <> $2 AND EXISTS \
             (SELECT 1 FROM cartage.ledger l WHERE l.pipeline = $1 AND l.mapping = m.id)",
            params![pipeline, current],
        )
        .await
        .map_err(DaemonError::Target)?;
    let mut former = HashMap::new();
    for row in rows {
        let id: i32 = row.get(0).map_err(DaemonError::Target)?;
        let Some(stored) = mapping_row::by_id(control, id)
            .await
            .map_err(DaemonError::Target)?
        else {
            continue;
        };
        let schemas: StoredSchemas = serde_json::from_value(stored.layout)
            .map_err(|error| DaemonError::FormerMapping(id, error.to_string()))?;
        let mapping = recompile_kept(&stored.config, &schemas)
            .map_err(|problems| DaemonError::FormerMapping(id, problems.render(false)))?;
        let mapper = Mapper {
            mapping,
            id,
            secret: secret.clone(),
        };
        former.insert(id, Arc::new(mapper));
    }
    Ok(former)
}

/// Says what will change, and begins the walks that change it.
async fn begin_change(
    control: &Target,
    pipeline: i32,
    before: i32,
    id: i32,
    compiled: &Compiled,
    former: &HashMap<i32, Arc<Mapper>>,
    at: Lsn,
) -> Result<(), DaemonError> {
    let carts: i64 = control
        .one(
            "SELECT count(*) FROM cartage.ledger WHERE pipeline = $1 AND mapping <> $2",
            params![pipeline, id],
        )
        .await
        .and_then(|row| row.get(0))
        .map_err(DaemonError::Target)?;
    let tables = former
        .get(&before)
        .map(|old| changed_tables(&old.mapping, &compiled.mapping));
    info!(
        from = before,
        to = id,
        carts,
        tables = tables.unwrap_or_default().join(", "),
        "the mapping has changed: every cart is mapped anew from its stored image"
    );
    if !switch::mutant(Mutant::MappingUnwalked) {
        runs::begin(control, pipeline, Kind::Mapping, at)
            .await
            .map_err(DaemonError::Target)?;
    }
    let stored = mapping_row::by_id(control, before)
        .await
        .map_err(DaemonError::Target)?;
    let same_carts = stored.is_some_and(|old| cart_part(&old.config) == cart_part(&compiled.text));
    if !same_carts {
        info!("what a cart is has changed too: all carts are read again");
        runs::begin(control, pipeline, Kind::All, at)
            .await
            .map_err(DaemonError::Target)?;
    }
    Ok(())
}

/// The part of a mapping's text that says which rows are carts.
fn cart_part(text: &str) -> Option<toml::Value> {
    let mut table: toml::Table = text.parse().ok()?;
    table.remove("cart")
}

/// Target tables whose columns differ between two mappings.
fn changed_tables(old: &Mapping, new: &Mapping) -> Vec<String> {
    let columns = |mapping: &Mapping, table: &str| -> Vec<String> {
        let intos = mapping.intos.iter().filter(|i| i.full_name() == table);
        intos
            .flat_map(|i| i.columns.iter().map(|c| c.name.clone()))
            .collect()
    };
    let mut tables: Vec<String> = old
        .intos
        .iter()
        .chain(&new.intos)
        .map(|i| i.full_name())
        .collect();
    tables.sort();
    tables.dedup();
    for table in &mut tables {
        let (was, is) = (columns(old, table), columns(new, table));
        let gained: Vec<&String> = is.iter().filter(|c| !was.contains(c)).collect();
        let lost: Vec<&String> = was.iter().filter(|c| !is.contains(c)).collect();
        if !gained.is_empty() || !lost.is_empty() {
            *table = format!("{table} (+{gained:?} -{lost:?})");
        }
    }
    tables
}

/// Tables other than the header that `live` names.
fn live_reads(mapping: &Mapping) -> Vec<bool> {
    let mut reads = vec![false; mapping.layout.tables.len()];
    if let Some(live) = &mapping.live {
        live.reads(&mut |table, _| reads[table] |= table != Layout::HEADER);
    }
    reads
}
