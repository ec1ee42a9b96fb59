//! The presets that cartage ships, as scenarios play them: the file itself, between other servers.

use std::fs;
use std::path::Path;

/// Its file, by the name of its scenario.
pub fn file(scenario: &str) -> String {
    let pair = scenario.strip_prefix("preset_");
    let pair =
        pair.unwrap_or_else(|| panic!("{scenario} has neither a configuration nor a preset"));
    format!("config/{}.toml", pair.replace('_', "-"))
}

/// The text of a preset with places to fill in for what differs from shop to shop: its name and
/// where the databases are. All else is as it is shipped.
pub fn template(scenario: &str) -> String {
    let (mut section, mut replaced) = (String::new(), 0);
    let mut line = |line: &str| {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
        }
        let other = match (section.as_str(), line.split('=').next().map(str::trim)) {
            ("", Some("name")) => "name = \"{{name}}\"".to_owned(),
            (side @ ("source" | "target"), Some("url")) => format!("url = \"{{{{{side}_url}}}}\""),
            _ => return format!("{line}\n"),
        };
        replaced += 1;
        format!("{other}\n")
    };
    let file = file(scenario);
    let text: String = read(&file).lines().map(&mut line).collect();
    assert_eq!(
        replaced, 3,
        "{file}: its name and two URLs were to be replaced"
    );
    text
}

/// The tables of a platform.
pub fn tables(platform: &str) -> String {
    read(&format!("tests/platforms/{platform}.sql"))
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
