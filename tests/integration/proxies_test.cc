// Clients that come through nginx and HAProxy, as Debian has them. The proxies connect from
// 127.0.0.1, which the server trusts; the clients have the address 127.0.0.2.
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "integration/harness/reverse_proxy.h"
#include "integration/harness/with_stormo.h"
#include "support/temp_directory.h"
#include "support/tls_peer.h"
#include "support/websocket_client.h"

namespace stormo::integration {
namespace {

using test::WebSocketClient;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kClient = "127.0.0.2";
// What a client sends itself has no effect.
const std::string kForged =
    "X-Forwarded-For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n";

// From nginx's documentation on WebSocket.
const std::string kUpgrade =
    "proxy_http_version 1.1;\n"
    "proxy_set_header Upgrade $http_upgrade;\n"
    "proxy_set_header Connection \"upgrade\";\n";

class Proxies : public WithStormo {
 protected:
  void serve(const Words& options) {
    Words words = {"--workers", "1", "--trusted-proxies", "127.0.0.1"};
    words.insert(words.end(), options.begin(), options.end());
    startStormo(words);
  }
  /// On a unix socket, as a user other than the proxy's.
  void serveOnUnixSocket(const Words& options) {
    // The proxy's processes are of another user: they pass through the directory.
    ASSERT_EQ(::chmod(stormo.folder().c_str(), 0711), 0);
    Words words = {"--listen", "unix://" + socketPath(), "--workers", "1", "--trusted-proxies",
                   "unix",     "--socket-mode",          "0666"};
    words.insert(words.end(), options.begin(), options.end());
    stormo.start(words);
  }
  [[nodiscard]] std::string socketPath() const { return stormo.folder() + "/clients"; }
  [[nodiscard]] std::string tcp() { return "127.0.0.1:" + std::to_string(stormo.port()); }

  void viaNginx(const std::string& upstream, const std::string& lines) {
    viaNginx("location / {\nproxy_pass http://" + upstream + ";\n" + lines + "}\n");
  }
  void viaNginx(const std::string& serverLines) {
    if (!installedProxy("nginx")) GTEST_SKIP() << "nginx is not installed (package nginx-core)";
    proxy_ = ReverseProxy::nginx(deadline, stormo.folder(), serverLines);
  }
  void viaHaproxy(const std::string& mode, const std::string& server,
                  const std::string& lines = {}) {
    // The time-outs of Debian's configuration file.
    viaHaproxy("defaults\n  mode " + mode +
               "\n  timeout connect 5000\n  timeout client 50000\n  timeout server 50000\n"
               "frontend clients\n  bind :80\n  default_backend stormo\n"
               "backend stormo\n" +
               lines + "  server one " + server + "\n");
  }
  void viaHaproxy(const std::string& configuration) {
    if (!installedProxy("haproxy")) GTEST_SKIP() << "haproxy is not installed (package haproxy)";
    proxy_ = ReverseProxy::haproxy(deadline, stormo.folder(), configuration);
  }
  /// A block of docs/deploy.md in that language, the first one or one after it, for this server.
  std::string documented(const std::string& language, std::size_t index = 0) {
    std::ifstream file(std::string(STORMO_SOURCE_DIR) + "/docs/deploy.md");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::string fence = "\n```" + language + "\n";
    std::size_t begin = text.find(fence);
    for (; index > 0; --index) begin = text.find(fence, begin + 1);
    begin += fence.size();
    std::string block = text.substr(begin, text.find("```", begin) - begin);
    const std::string address = "127.0.0.1:1234";
    const std::size_t at = block.find(address);
    if (at == block.npos) throw std::runtime_error("no server in this block:\n" + block);
    return block.replace(at, address.size(), tcp());
  }

  void await(WebSocketClient& client, const std::function<bool()>& done) {
    while (!done() && !client.ended()) {
      deadline.check("the proxy's answer");
      pollfd ready{.fd = client.raw().fd(), .events = POLLIN, .revents = 0};
      ::poll(&ready, 1, deadline.pollMilliseconds());
    }
  }
  WebSocketClient ask(const std::string& request) {
    WebSocketClient client(proxy_->connectFrom(kClient));
    client.raw().send(request);
    await(client, [&] { return client.answered(); });
    return client;
  }
  /// A client whose messages pass in both directions.
  WebSocketClient open(const std::string& extra = kForged) {
    WebSocketClient client = ask(WebSocketClient::request("/", extra));
    EXPECT_TRUE(client.isOpen()) << client.body();
    client.sendText(R"({"cmd":"ping"})");
    EXPECT_EQ(client.await(), test::textFrame(R"({"cmd":"pong"})"));
    return client;
  }
  /// The addresses of the clients in `connections`.
  std::vector<std::string> clientsShown() {
    std::vector<std::string> shown;
    for (const Json& row : stormo.connections()) {
      if (row.at("protocol") == "websocket") shown.push_back(row.at("remote_address"));
    }
    return shown;
  }
  void expectTheClientIsShown() {
    const WebSocketClient client = open();
    EXPECT_THAT(clientsShown(), testing::ElementsAre(StartsWith(kClient + ':')));
  }

  std::unique_ptr<ReverseProxy> proxy_;
};

TEST_F(Proxies, NginxStatesTheClientInXForwardedFor) {
  serve({});
  viaNginx(tcp(), kUpgrade + "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n");
  if (proxy_ != nullptr) expectTheClientIsShown();
}

TEST_F(Proxies, DocumentedConfigurationOfNginx) {
  serve({});
  viaNginx(documented("nginx"));
  if (proxy_ != nullptr) expectTheClientIsShown();
}

TEST_F(Proxies, DocumentedConfigurationOfHaproxy) {
  serve({});
  viaHaproxy(documented("haproxy"));
  if (proxy_ != nullptr) expectTheClientIsShown();
}

TEST_F(Proxies, DocumentedConfigurationOfHaproxyWithTheProxyProtocol) {
  serve({"--proxy-protocol", "websocket://127.0.0.1:0"});
  viaHaproxy(documented("haproxy", 1));
  if (proxy_ != nullptr) expectTheClientIsShown();
}

TEST_F(Proxies, NginxStatesTheClientInXRealIp) {
  serve({"--proxy-header", "X-Real-IP"});
  viaNginx(tcp(), kUpgrade + "proxy_set_header X-Real-IP $remote_addr;\n");
  if (proxy_ != nullptr) expectTheClientIsShown();
}

TEST_F(Proxies, NginxStatesTheClientInForwarded) {
  serve({"--proxy-header", "Forwarded"});
  viaNginx(tcp(), kUpgrade + "proxy_set_header Forwarded \"for=$remote_addr\";\n");
  if (proxy_ != nullptr) expectTheClientIsShown();
}

TEST_F(Proxies, NginxReachesAUnixSocketOfAnotherUser) {
  serveOnUnixSocket({});
  viaNginx("unix:" + socketPath() + ":",
           kUpgrade + "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n");
  if (proxy_ != nullptr) expectTheClientIsShown();
}

TEST_F(Proxies, AFirefoxHandshakePassesNginx) {
  serve({});
  viaNginx(tcp(), kUpgrade);
  if (proxy_ == nullptr) return;
  std::string request = WebSocketClient::request();
  const std::string plain = "Connection: Upgrade";
  request.replace(request.find(plain), plain.size(), "Connection: keep-alive, Upgrade");
  EXPECT_TRUE(ask(request).isOpen());
}

TEST_F(Proxies, LongMessagesPassTheBuffersOfNginx) {
  serve({"--send-buffer-bytes", "67108864"});
  viaNginx(tcp(), kUpgrade);
  if (proxy_ == nullptr) return;
  WebSocketClient client = open();
  const std::string text(1'000'000, 'x');
  client.sendText(R"({"cmd":"add_group","group_id":"g"})");
  std::string rest =
      WebSocketClient::text(R"({"cmd":"send_to_group","group_id":"g","message":")" + text + "\"}");
  while (!rest.empty()) {
    rest.erase(0, client.raw().send(rest));
    if (rest.empty()) break;
    pollfd writable{.fd = client.raw().fd(), .events = POLLOUT, .revents = 0};
    ASSERT_EQ(::poll(&writable, 1, deadline.pollMilliseconds()), 1);
  }
  EXPECT_EQ(client.await(), test::textFrame(text));
}

TEST_F(Proxies, NginxWithItsDefaultOfHttp10GetsPagesAndNoUpgrade) {
  serve({});
  viaNginx(tcp(), "");
  if (proxy_ == nullptr) return;
  WebSocketClient page = ask("GET /stormo.js HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(page.status(), 200);
  EXPECT_NE(ask(WebSocketClient::request()).status(), 101);
  // With the header of the upgrade, but without `proxy_http_version 1.1`.
  proxy_.reset();
  viaNginx(tcp(),
           "proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection upgrade;\n");
  WebSocketClient refused = ask(WebSocketClient::request());
  EXPECT_EQ(refused.status(), 400);
  await(refused, [&] { return refused.body().find('\n') != std::string::npos; });
  EXPECT_THAT(refused.body(), HasSubstr("HTTP/1.1"));
}

TEST_F(Proxies, HaproxyStatesTheClientInXForwardedFor) {
  serve({});
  viaHaproxy("http", tcp(), "  option forwardfor\n");
  if (proxy_ != nullptr) expectTheClientIsShown();
}

TEST_F(Proxies, HaproxyStatesTheClientInVersion1OfTheProxyProtocol) {
  serve({"--proxy-protocol", "websocket://127.0.0.1:0"});
  viaHaproxy("tcp", tcp() + " send-proxy");
  if (proxy_ != nullptr) expectTheClientIsShown();
}

TEST_F(Proxies, HaproxyStatesTheClientInVersion2OfTheProxyProtocol) {
  serve({"--proxy-protocol", "websocket://127.0.0.1:0"});
  viaHaproxy("http", tcp() + " send-proxy-v2 proxy-v2-options unique-id,crc32c");
  if (proxy_ != nullptr) expectTheClientIsShown();
}

TEST_F(Proxies, HaproxyReachesAUnixSocketWithTheProxyProtocol) {
  serveOnUnixSocket({"--proxy-protocol", "unix://" + socketPath()});
  viaHaproxy("tcp", "unix@" + socketPath() + " send-proxy-v2");
  if (proxy_ != nullptr) expectTheClientIsShown();
}

TEST_F(Proxies, HeadersOfAProxyThatIsNotTrustedAreIgnored) {
  startStormo({"--workers", "1", "--trusted-proxies", "10.0.0.0/8"});
  viaHaproxy("http", tcp(), "  option forwardfor\n");
  if (proxy_ == nullptr) return;
  const WebSocketClient client = open();
  EXPECT_THAT(clientsShown(), testing::ElementsAre(StartsWith("127.0.0.1:")));
}

TEST_F(Proxies, AProxyThatDoesNotSendTheProxyProtocolIsRefusedAndLogged) {
  serve({"--proxy-protocol", "websocket://127.0.0.1:0"});
  viaHaproxy("tcp", tcp());
  if (proxy_ == nullptr) return;
  WebSocketClient refused = ask(WebSocketClient::request());
  EXPECT_FALSE(refused.answered());
  while (stormo.foreground().errors().find("reason=\"no valid PROXY header\"") ==
         std::string::npos) {
    deadline.check("the log line of the refusal");
  }
}

TEST_F(Proxies, TlsFollowsTheHeaderOfTheProxyProtocol) {
  const test::TempDirectory folder;
  const TlsCertificate files = test::makeCertificate(folder);
  serve({"--proxy-protocol", "websocket://127.0.0.1:0", "--tls-cert", files.certificateFile,
         "--tls-key", files.keyFile});
  const auto await = [&](const test::RawPeer& peer, const std::function<bool()>& done) {
    while (!done()) {
      deadline.check("the server's answer");
      pollfd ready{.fd = peer.fd(), .events = POLLIN, .revents = 0};
      ::poll(&ready, 1, deadline.pollMilliseconds());
    }
  };
  auto proxy = test::RawPeer::connect(stormo.port());
  test::TlsPeer client(proxy.fd());
  proxy.send("PROXY TCP4 127.0.0.2 127.0.0.1 4321 443\r\n");
  await(proxy, [&] { return client.shakeHands(); });
  client.send(WebSocketClient::request());
  std::string answer;
  await(proxy, [&] { return (answer += client.take()).find("\r\n\r\n") != answer.npos; });
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(clientsShown(), testing::ElementsAre(kClient + ":4321"));

  // TLS before the header.
  auto wrong = test::RawPeer::connect(stormo.port());
  test::TlsPeer early(wrong.fd());
  EXPECT_FALSE(early.shakeHands());
  await(wrong, [&] { return wrong.ended(); });
  while (stormo.foreground().errors().find("reason=\"no valid PROXY header\"") ==
         std::string::npos) {
    deadline.check("the log line of the refusal");
  }
}

}  // namespace
}  // namespace stormo::integration
