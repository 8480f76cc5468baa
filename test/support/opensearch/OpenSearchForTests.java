import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.opensearch.Version;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.PluginInfo;

/** An OpenSearch of one node without security: prints its address, ends with its standard input. */
public final class OpenSearchForTests extends Node {
  @SuppressWarnings({"unchecked", "rawtypes"})
  private OpenSearchForTests(Environment environment) throws ClassNotFoundException {
    super(environment, (Collection) plugins(), false);
  }

  /** Version 2 lists plugins as classes, version 3 as PluginInfo, with another class: this compiles with both. */
  private static List<?> plugins() throws ClassNotFoundException {
    if (Version.CURRENT.major < 3) return List.of(Class.forName("org.opensearch.transport.Netty4Plugin"));
    String http = "org.opensearch.transport.Netty4ModulePlugin";
    return List.of(new PluginInfo(http, http, "NA", Version.CURRENT, "17", http, null, List.of(), false));
  }

  public static void main(String[] args) throws Exception {
    Settings settings = Settings.builder()
        .put("path.home", Path.of(args[0]))
        .put("cluster.name", "syncrator-tests")
        .put("node.name", "tests")
        .put("discovery.type", "single-node")
        .put("http.port", "0")
        .put("transport.port", "0")
        .put("network.host", "127.0.0.1")
        .put("http.type", "netty4")
        .put("transport.type", "netty4")
        .put("node.processors", 2)
        // A full disk of the machine is not what the tests are about.
        .put("cluster.routing.allocation.disk.threshold_enabled", false)
        .build();
    Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "tests");
    Node node = new OpenSearchForTests(environment).start();
    int port = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress().getPort();
    System.out.println("ready http://127.0.0.1:" + port);
    while (System.in.read() >= 0) {
      // Whoever started us holds the other end, and has ended when it closes.
    }
    // What it wrote is thrown away: no orderly end is waited for.
    Runtime.getRuntime().halt(0);
  }
}
