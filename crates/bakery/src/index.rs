//! The index of images in the control store.

use store::{Migration, StoreError, Tx, params};

use crate::BakeError;
use crate::image::Image;
use crate::keep;

/// The bakery's tables.
pub const MIGRATIONS: &[Migration] = &[
    Migration { domain: "bakery", number: 1, sql: include_str!("migrations/1.sql") },
    Migration { domain: "bakery", number: 2, sql: include_str!("migrations/2.sql") },
];

/// Writes an image down. One of that id stays as it is known: the same digest is the same image, and its name is in use.
pub(crate) fn put(tx: &mut Tx, image: &Image) -> Result<Image, BakeError> {
    keep::note_use(tx, &image.id)?;
    if let Some(known) = by_reference(tx, &image.id)? {
        return Ok(known);
    }
    let document = serde_json::to_string(image).map_err(|e| BakeError::Died(e.to_string()))?;
    tx.execute(
        "insert into image (id, recipe, name, made, document) values (?1, ?2, ?3, ?4, ?5)",
        params![image.id.as_str(), image.recipe.as_str(), image.name.as_str(), image.made, document],
    )?;
    tx.change("images", &image.id)?;
    Ok(image.clone())
}

/// The newest image made by this recipe.
pub(crate) fn by_recipe(tx: &mut Tx, recipe: &str) -> Result<Option<Image>, BakeError> {
    one(tx, "select document from image where recipe = ?1 order by made desc limit 1", recipe)
}

/// The image of this id, or the newest of this name.
pub(crate) fn by_reference(tx: &mut Tx, reference: &str) -> Result<Option<Image>, BakeError> {
    one(tx, "select document from image where id = ?1 or name = ?1 order by made desc limit 1", reference)
}

/// All images, the newest first.
pub(crate) fn all(tx: &mut Tx) -> Result<Vec<Image>, BakeError> {
    let rows = tx.query("select document from image order by made desc, id limit 10000", params![])?;
    rows.iter().map(|row| read(&row.text(0)?)).collect()
}

fn one(tx: &mut Tx, sql: &str, key: &str) -> Result<Option<Image>, BakeError> {
    tx.query_opt(sql, params![key])?.map(|row| read(&row.text(0)?)).transpose()
}

fn read(document: &str) -> Result<Image, BakeError> {
    serde_json::from_str(document).map_err(|error| {
        BakeError::Store(StoreError::Sql { what: format!("the document of an image cannot be read: {error}") })
    })
}
