//! The question before a change to a database.

use std::io::{BufRead, IsTerminal, Write};

use super::CommandError;

/// Says what will be done, and asks unless told not to. False where the answer is no.
pub fn confirm(heading: &str, steps: &[String], yes: bool) -> Result<bool, CommandError> {
    println!("{heading}");
    for step in steps {
        println!("  - {step}");
    }
    if yes {
        return Ok(true);
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(CommandError::usage(
            "nothing was done: there is no terminal to ask on; say --yes to go on without asking",
        ));
    }
    print!("Go on? [y/N] ");
    std::io::stdout().flush().map_err(CommandError::failed)?;
    let mut answer = String::new();
    stdin
        .lock()
        .read_line(&mut answer)
        .map_err(CommandError::failed)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
