//! The bakery's images, as the local cloud runs them: the layer over this machine's `/usr`, with the image's command and environment.

use async_trait::async_trait;
use bakery::{Bakery, ROOT_FS};
use cloud::local::{ImageError, Images, Launch};
use dataplane::wanted::Root;

/// Images of a bakery.
pub struct BakedImages(pub Bakery);

#[async_trait]
impl Images for BakedImages {
    async fn launch(&self, image: &str) -> Result<Launch, ImageError> {
        let failed = |why: String| ImageError { image: image.to_owned(), why };
        let found = self.0.image(image).await.map_err(|error| failed(error.to_string()))?;
        let layer = self.0.layer_folder(&found.id);
        if !layer.is_dir() {
            return Err(failed(format!("its files are gone from {}: bake it again", layer.display())));
        }
        Ok(Launch {
            root: match found.base.as_str() {
                ROOT_FS => Root::RootFs { layers: vec![layer] },
                _ => Root::Host { layers: vec![layer] },
            },
            command: found.config.command,
            env: found.config.env,
            user: found.config.user,
            directory: found.config.directory.map(Into::into),
            extra_binds: Vec::new(),
            path: Vec::new(),
        })
    }

    async fn list(&self) -> Result<Vec<cloud::inventory::Image>, ImageError> {
        let all = self.0.images().await.map_err(|error| ImageError { image: "*".into(), why: error.to_string() })?;
        Ok(all
            .into_iter()
            .map(|image| cloud::inventory::Image {
                tags: [("appversion".to_owned(), image.app_version())].into(),
                id: image.id,
                name: image.name,
                // Whichever account lists them says so.
                account: String::new(),
                regions: Vec::new(),
                created: jiff::Timestamp::from_millisecond(image.made).ok(),
            })
            .collect())
    }
}
