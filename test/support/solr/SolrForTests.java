import java.nio.file.Path;
import org.apache.solr.cloud.MiniSolrCloudCluster;
import org.apache.solr.embedded.JettyConfig;

/** A SolrCloud of one node in one process, with its ZooKeeper: prints its address, ends with its standard input. */
public final class SolrForTests {
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    Path configset = Path.of(args[1]);
    JettyConfig jetty = JettyConfig.builder().setContext("/solr").setPort(0).build();
    MiniSolrCloudCluster cluster = new MiniSolrCloudCluster(1, folder, jetty);
    cluster.uploadConfigSet(configset, "catalogue");
    // As every SolrCloud has one of this name.
    cluster.uploadConfigSet(configset, "_default");
    System.out.println("ready " + cluster.getJettySolrRunner(0).getBaseUrl());
    while (System.in.read() >= 0) {
      // Whoever started us holds the other end, and has ended when it closes.
    }
    // What it wrote is thrown away: no orderly end is waited for.
    Runtime.getRuntime().halt(0);
  }
}
