import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;

/**
 * Has Debezium's engine read changes, and does nothing with them. It says "first" and "last" as these
 * come, and lives until its input ends: the harness reads the clock and the process's counters.
 *
 * <p>Arguments: the engine's properties, and how many changes there are.
 */
final class Drain implements DebeziumEngine.ChangeConsumer<ChangeEvent<String, String>> {
    private final PrintStream harness;
    private final long wanted;
    private long seen;

    private Drain(PrintStream harness, long wanted) {
        this.harness = harness;
        this.wanted = wanted;
    }

    @Override
    public void handleBatch(
            List<ChangeEvent<String, String>> events,
            DebeziumEngine.RecordCommitter<ChangeEvent<String, String>> committer)
            throws InterruptedException {
        if (seen == 0) {
            say("first");
        }
        for (ChangeEvent<String, String> event : events) {
            committer.markProcessed(event);
        }
        committer.markBatchFinished();
        boolean before = seen < wanted;
        seen += events.size();
        if (before && seen >= wanted) {
            say("last");
        }
    }

    private void say(String word) {
        harness.println(word);
        harness.flush();
    }

    private static Properties read(String file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(Path.of(file))) {
            properties.load(reader);
        }
        return properties;
    }

    private static void ended(boolean well, String message, Throwable error) {
        System.err.println("the engine ended: " + message);
        if (error != null) {
            error.printStackTrace();
        }
        // It is to go on until the harness has had enough.
        Runtime.getRuntime().halt(1);
    }

    public static void main(String[] arguments) throws IOException {
        PrintStream harness = System.out;
        // What is logged is no word to the harness.
        System.setOut(System.err);
        DebeziumEngine<ChangeEvent<String, String>> engine =
                DebeziumEngine.create(Json.class)
                        .using(read(arguments[0]))
                        .using(Drain::ended)
                        .notifying(new Drain(harness, Long.parseLong(arguments[1])))
                        .build();
        Thread thread = new Thread(engine, "engine");
        thread.setDaemon(true);
        thread.start();
        while (System.in.read() >= 0) {
            // Nothing is asked.
        }
        Runtime.getRuntime().halt(0);
    }
}
