import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Stream;
import org.codelibs.opensearch.runner.OpenSearchRunner;
import org.opensearch.common.settings.Settings;
import org.opensearch.security.tools.Hasher;

/**
 * Runs an OpenSearch node with k-NN and security: java Launcher.java FOLDER PORT.
 *
 * FOLDER/conf contains node.pem (self-signed), node.key and security/*.yml, in which ${ADMIN_HASH} and ${USER_HASH} are
 * replaced by hashes of the passwords in the environment. If OWNER_PID is set, the node ends with that process.
 */
public class Launcher {
    static final String PLUGINS =
            "org.opensearch.knn.plugin.KNNPlugin,org.opensearch.security.OpenSearchSecurityPlugin";

    public static void main(String[] arguments) {
        try {
            Path folder = Path.of(arguments[0]);
            int port = Integer.parseInt(arguments[1]);
            OpenSearchRunner runner = new OpenSearchRunner();
            runner.onBuild((number, settings) -> configure(folder, port, settings));
            runner.build(
                    OpenSearchRunner.newConfigs()
                            .basePath(folder.resolve("node").toString())
                            .clusterName("faq")
                            .numOfNode(1)
                            .useLogger()
                            .pluginTypes(PLUGINS));
            endWith(System.getenv("OWNER_PID"));
            Thread.currentThread().join();
        } catch (Throwable failure) { // not printed otherwise
            failure.printStackTrace();
            System.exit(1);
        }
    }

    static void configure(Path folder, int port, Settings.Builder settings) {
        try {
            // The passwords are random and long, so that many rounds protect them no better and take seconds of each start.
            settings.put("plugins.security.password.hashing.bcrypt.rounds", 4);
            Settings hashing = settings.build();
            Path conf = folder.resolve("node").resolve("node_1").resolve("config");
            Files.createDirectories(conf.resolve("opensearch-security"));
            for (String name : new String[] {"node.pem", "node.key"})
                Files.copy(folder.resolve("conf").resolve(name), conf.resolve(name), StandardCopyOption.REPLACE_EXISTING);
            try (Stream<Path> given = Files.list(folder.resolve("conf").resolve("security"))) {
                for (Path file : given.toList())
                    Files.writeString(
                            conf.resolve("opensearch-security").resolve(file.getFileName()),
                            Files.readString(file)
                                    .replace("${ADMIN_HASH}", hash("ADMIN_PASSWORD", hashing))
                                    .replace("${USER_HASH}", hash("USER_PASSWORD", hashing)));
            }
            settings.put("network.host", "127.0.0.1").put("http.port", port).put("transport.port", 0);
            for (String layer : new String[] {"transport", "http"}) {
                String prefix = "plugins.security.ssl." + layer + ".";
                settings.put(prefix + "pemcert_filepath", "node.pem").put(prefix + "pemkey_filepath", "node.key");
                settings.put(prefix + "pemtrustedcas_filepath", "node.pem");
            }
            settings.put("plugins.security.ssl.http.enabled", true);
            settings.put("plugins.security.ssl.transport.enforce_hostname_verification", false);
            settings.put("plugins.security.allow_default_init_securityindex", true);
            settings.putList("plugins.security.nodes_dn", "CN=localhost");
            settings.putList("plugins.security.restapi.roles_enabled", "all_access");
        } catch (java.io.IOException failure) {
            throw new java.io.UncheckedIOException(failure);
        }
    }

    static void endWith(String owner) {
        if (owner == null) return;
        Runnable end = () -> Runtime.getRuntime().halt(0); // without a shutdown: the data is not needed any more
        ProcessHandle.of(Long.parseLong(owner)).ifPresentOrElse(found -> found.onExit().thenRun(end), end);
    }

    static String hash(String variable, Settings hashing) {
        return Hasher.hash(System.getenv(variable).toCharArray(), hashing);
    }
}
