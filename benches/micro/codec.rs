//! The image of a cart of three lines, to its bytes in the ledger and back.

use std::hint::black_box;

use cartage::cart::codec::{decode, encode};
use cartage::cart::image::Image;

use crate::cart;
use crate::measured::Measured;

pub struct Encoded(Image);

impl Measured for Encoded {
    type Input = ();

    fn ready() -> Self {
        Self(cart::image(cart::mapper().layout()))
    }

    fn input(&self) {}

    fn run(&self, (): ()) {
        black_box(encode(black_box(&self.0)));
    }
}

pub struct Decoded(Vec<u8>);

impl Measured for Decoded {
    type Input = ();

    fn ready() -> Self {
        let image = cart::image(cart::mapper().layout());
        let bytes = encode(&image);
        assert_eq!(decode(&bytes), Ok(image));
        Self(bytes)
    }

    fn input(&self) {}

    fn run(&self, (): ()) {
        let _ = black_box(decode(black_box(&self.0)));
    }
}
