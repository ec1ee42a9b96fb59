//! Who may do what: roles without a privilege at the start and on the way, wrong passwords, hosts and
//! databases, and servers without a free slot or sender.

use cartage::demo::cluster::{Cluster, Options};

use super::ground::{Ground, warnings};
use crate::scenario::daemon::{Daemon, command};
use crate::scenario::servers::connect;

const ROLE: &str = "mover";

/// A server of its own, with a role that may do exactly what cartage needs.
async fn with_a_role(name: &str) -> (Cluster, Ground) {
    let cluster = Cluster::start(Options::default().scram()).await.unwrap();
    let mut ground = Ground::on(&cluster, name).await;
    ground
        .in_old(&format!(
            "CREATE ROLE {ROLE} LOGIN REPLICATION PASSWORD 'secret';
             GRANT SELECT ON orders, order_lines TO {ROLE};
             CREATE PUBLICATION {} FOR TABLE orders, order_lines
                 WITH (publish_via_partition_root = true);
             GRANT CREATE ON DATABASE old TO {ROLE}",
            ground.slot
        ))
        .await;
    ground
        .in_new(&format!(
            "CREATE SCHEMA cartage AUTHORIZATION {ROLE};
             GRANT SELECT, INSERT, UPDATE, DELETE ON cart, cart_line TO {ROLE}"
        ))
        .await;
    let admin = "postgres:throwaway@";
    for url in [&mut ground.shops.source_url, &mut ground.shops.target_url] {
        assert!(url.contains(admin), "{url}");
        *url = url.replace(admin, &format!("{ROLE}:secret@"));
    }
    ground.configure(name, &[]);
    (cluster, ground)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_privilege_that_is_taken_away_while_the_daemon_runs() {
    let (_cluster, ground) = with_a_role("faults_privileges").await;
    command(&ground.config, &["check"]);
    command(&ground.config, &["setup", "--yes"]);
    let daemon = ground.follow().await;

    // On the target: found at the next write.
    let mut daemon = daemon;
    ground
        .in_new(&format!("REVOKE UPDATE ON cart_line FROM {ROLE}"))
        .await;
    ground.trade(1).await;
    let message = ground.stopped(&mut daemon).await;
    assert_eq!(
        message,
        "target: permission denied for table cart_line. The role lacks a privilege: cartage check names the \
         GRANT; run it, then start again."
    );
    let (code, checks, _) = ground.run(&["check", "--sql"]);
    let grant = format!("GRANT UPDATE ON public.cart_line TO {ROLE};");
    assert_eq!(code, 3);
    assert!(checks.contains(&grant), "{checks}");
    ground.in_new(&grant).await;
    let mut daemon = ground.recovers().await;

    // On the source: found at the next read of a cart.
    ground
        .in_old(&format!("REVOKE SELECT ON order_lines FROM {ROLE}"))
        .await;
    ground.run(&["refresh", "--all"]);
    let message = ground.stopped(&mut daemon).await;
    assert_eq!(
        message,
        "the source cannot be read: permission denied for table order_lines. The role lacks a \
         privilege: cartage check names the GRANT; run it, then start again."
    );
    let (_, checks, _) = ground.run(&["check", "--sql"]);
    let grant = format!("GRANT SELECT ON public.order_lines TO {ROLE};");
    assert!(checks.contains(&grant), "{checks}");
    ground.in_old(&grant).await;
    let daemon = ground.recovers().await;
    ground.rest(daemon).await;

    // At the start.
    ground
        .in_old(&format!("ALTER ROLE {ROLE} NOREPLICATION"))
        .await;
    ground.trade(2).await;
    let message = ground.refused().await;
    let begin = format!("the role {ROLE} may not read the source's log (");
    let end = format!("); run on the source: ALTER ROLE {ROLE} REPLICATION");
    assert!(
        message.starts_with(&begin) && message.ends_with(&end),
        "{message}"
    );
    ground
        .in_old(&format!("ALTER ROLE {ROLE} REPLICATION"))
        .await;
    let daemon = ground.recovers().await;
    ground.rest(daemon).await;

    wrong_addresses(&ground).await;
}

/// What the URL gets wrong. Nothing of it tells the password.
async fn wrong_addresses(ground: &Ground) {
    let name = "faults_privileges";
    let host = |url: &str| url.split(['@', '/']).nth(3).unwrap().to_owned();
    let (source, target) = (
        host(&ground.shops.source_url),
        host(&ground.shops.target_url),
    );
    let at = "{{source_url}}";
    let wrong = ground.shops.source_url.replace("secret", "mistaken");
    ground.configure(name, &[(at, &wrong)]);
    assert_eq!(
        ground.refused().await,
        format!(
            "source: {source} refused the password of user \"{ROLE}\"; correct the endpoint's password"
        )
    );
    let (code, _, log) = ground.run(&["check"]);
    assert_eq!(code, 1);
    assert!(log.contains("refused the password of user"), "{log}");
    let nowhere = ground.shops.source_url.replace("/old", "/nothing");
    ground.configure(name, &[(at, &nowhere)]);
    assert_eq!(
        ground.refused().await,
        format!("source: {source} has no database \"nothing\"; correct the endpoint's URL")
    );
    // A target that lets nobody in cannot be told why it stopped either.
    let wrong = ground.shops.target_url.replace("secret", "mistaken");
    ground.configure(name, &[("{{target_url}}", &wrong)]);
    let mut daemon = Daemon::start(&ground.config);
    assert_eq!(daemon.ended().await.code(), Some(4));
    let said = format!("target: {target} refused the password of user");
    assert!(daemon.log().contains(&said), "{}", daemon.log());
    assert!(!daemon.log().contains("mistaken"), "{}", daemon.log());

    // A host that does not answer is waited for.
    let dead = ground.shops.source_url.replace(&source, "127.0.0.1:1");
    ground.configure(name, &[(at, &dead)]);
    let mut daemon = Daemon::start(&ground.config);
    daemon.says("source: cannot reach 127.0.0.1:1: ").await;
    daemon
        .says("is the server up, and the address right?; starting again")
        .await;
    daemon.stop().await;
    ground.configure(name, &[]);
    ground.recovers().await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_slot_is_free_at_setup_and_no_sender_at_the_start() {
    let options = Options::default()
        .setting("max_replication_slots", "2")
        .setting("max_wal_senders", "1");
    let cluster = Cluster::start(options).await.unwrap();
    let ground = Ground::on(&cluster, "faults_exhausted").await;
    for slot in ["one", "two"] {
        ground
            .in_old(&format!(
                "SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')"
            ))
            .await;
    }
    let (code, _, log) = ground.run(&["setup", "--yes"]);
    assert_eq!(code, 1, "{log}");
    // The server's own hint; from 18 on it quotes the setting.
    let said = "error: the replication slot cartage_faults_exhausted could not be made: all replication \
                slots are in use (Free one or increase max_replication_slots.)";
    assert!(log.replace('"', "").contains(said), "{log}");
    assert!(log.trim_end().ends_with("; see: cartage check"), "{log}");
    ground
        .in_old("SELECT pg_drop_replication_slot('two')")
        .await;
    command(&ground.config, &["setup", "--yes"]);

    // Somebody else has the only sender: that passes by itself.
    let config = cartage::config::Config::load(&ground.config)
        .unwrap_or_else(|p| panic!("{}", p.render(false)));
    let sender = cartage::postgres::wire::ReplicationConnection::connect(&config.source, "other")
        .await
        .unwrap();
    let mut daemon = Daemon::start(&ground.config);
    daemon.says("max_wal_senders").await;
    ground.trade(1).await;
    drop(sender);
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    let said = warnings(&daemon.log());
    assert!(
        said.iter().all(|w| w.ends_with("; starting again")),
        "{said:#?}"
    );
    daemon.stop().await;
    let client = connect(&ground.shops.source_url).await;
    let slots =
        crate::scenario::servers::number(&client, "SELECT count(*) FROM pg_replication_slots");
    assert_eq!(slots.await, 2);
}
