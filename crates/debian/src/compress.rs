//! Packing of indexes and package members, the same bytes each time.

mod assemble;

use std::io::{self, Write};

pub use assemble::{Assembler, Extent, Part, first_bit};

use crate::decompress::Compression;

/// Packs `bytes`. The levels are those that pay for indexes: gzip 6 and bzip2 9 as everybody's, xz 1, zstd 3.
pub fn pack(compression: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
    match compression {
        Compression::None => Ok(bytes.to_vec()),
        Compression::Gz => {
            let mut packer = flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::new(6));
            packer.write_all(bytes)?;
            packer.finish()
        }
        Compression::Bz2 => {
            let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
            packer.write_all(bytes)?;
            packer.finish()
        }
        Compression::Xz => {
            let mut packer = liblzma::write::XzEncoder::new(Vec::new(), 1);
            packer.write_all(bytes)?;
            packer.finish()
        }
        Compression::Lzma => Err(io::Error::new(io::ErrorKind::Unsupported, "lzma is read only")),
        Compression::Zst => zstd::stream::encode_all(bytes, 3),
    }
}
