//! How many digits the minor unit of a currency has, by ISO 4217.

use std::sync::LazyLock;

use crate::hash::HashMap;

/// Currencies whose exponent is not two.
const EXPONENTS: &[(u32, &str)] = &[
    (
        0,
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// All others in use.
const HUNDREDTHS: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV \
    BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP \
    ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES \
    KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV \
    MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK \
    SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU \
    UZS VED VES WST XCD YER ZAR ZMW ZWL";

static BY_CODE: LazyLock<HashMap<[u8; 3], u32>> = LazyLock::new(|| {
    let all = EXPONENTS.iter().chain(&[(2, HUNDREDTHS)]);
    let codes = all.flat_map(|(digits, codes)| {
        let codes = codes.split_ascii_whitespace();
        codes.filter_map(|code| Some((code.as_bytes().try_into().ok()?, *digits)))
    });
    codes.collect()
});

/// The exponent of a currency code in any case; none for an unknown one.
pub fn exponent(code: &str) -> Option<u32> {
    let code: [u8; 3] = code.trim().as_bytes().try_into().ok()?;
    let code = code.map(|letter| letter.to_ascii_uppercase());
    BY_CODE.get(&code).copied()
}

#[cfg(test)]
mod tests {
    use super::exponent;

    #[test]
    fn exponents() {
        assert_eq!(exponent("EUR"), Some(2));
        assert_eq!(exponent("jpy"), Some(0));
        assert_eq!(exponent("KWD"), Some(3));
        assert_eq!(exponent("CLF"), Some(4));
        assert_eq!(exponent("XXX"), None);
        assert_eq!(exponent("EUR USD"), None);
    }
}
