#include "integration/harness/with_api.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "access/token_signer.h"
#include "sys/address.h"

namespace stormo::integration {
namespace {

/// The API's processes, as `status` names them.
constexpr const char* kApiName = "api";
constexpr const char* kTokenSecret = "the secret of the tokens of these tests";

/// A slot without a process has the pid 0, which must never be signalled.
std::vector<pid_t> pidsWith(const Json& report, const char* member, const std::string& value) {
  std::vector<pid_t> pids;
  for (const Json& row : report.at("processes")) {
    const auto pid = row.at("pid").get<pid_t>();
    if (pid > 0 && row.at(member) == value) pids.push_back(pid);
  }
  return pids;
}

}  // namespace

ApiAnswer apiAnswerIn(std::string_view response) {
  const std::size_t end = response.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  return {.status = std::stoi(std::string(response.substr(9, 3))),
          .head = std::string(response.substr(0, end + 2)),
          .body = Json::parse(response.substr(end + 4), nullptr, false)};
}

std::string apiRequest(const std::string& requestLine, const std::string& headers,
                       const std::string& body) {
  return requestLine + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

void WithApi::startWithApi(const Words& options) {
  Words words = {"--api-listen", "http://127.0.0.1:0"};
  if (std::ranges::find(options, "--workers") == options.end()) {
    words.insert(words.end(), {"--workers", "2"});
  }
  words.insert(words.end(), options.begin(), options.end());
  startStormo(words);
  readKeyAndPorts();
}

void WithApi::startWithTokens(const Words& options) {
  Words words = {"--token-secret-file", file("token.secret", kTokenSecret)};
  words.insert(words.end(), options.begin(), options.end());
  startWithApi(words);
}

std::string WithApi::tokenOf(const Json& claims) {
  return access::signToken(claims.dump(), kTokenSecret);
}

std::string WithApi::tokenOfUser(const std::string& user) {
  return tokenOf({{"sub", user}, {"rights", {{{"groups", "*"}}}}});
}

void WithApi::readKeyAndPorts() {
  std::ifstream file(instanceFile("api.key"));
  std::getline(file, key);
  EXPECT_TRUE(key.starts_with("stormo_")) << key;
  const Json report = stormo.status();
  for (const Json& row : report.at("processes")) {
    if (row.at("kind") != "worker") continue;
    const auto listen = row.at("listen").get<std::string>();
    const std::uint16_t first = parseSocketUrl(listen.substr(0, listen.find(','))).port;
    (row.at("name") == kApiName ? apiPort : port) = first;
  }
}

std::string WithApi::file(const std::string& name, const std::string& content) const {
  const std::string path = stormo.folder() + "/" + name;
  std::ofstream(path) << content;
  return path;
}

TcpPeer WithApi::beginCall(const std::string& requestLine, const std::string& body,
                           const std::string& headers) const {
  TcpPeer peer(deadline, apiPort);
  peer.send(apiRequest(requestLine, authorization() + headers, body));
  return peer;
}

ApiAnswer WithApi::endCall(TcpPeer& call) {
  ApiAnswer answer = apiAnswerIn(call.readToEnd());
  if (answer.status == 0) throw std::runtime_error("no answer of the API");
  return answer;
}

ApiAnswer WithApi::call(const std::string& requestLine, const std::string& body,
                        const std::string& headers) const {
  TcpPeer call = beginCall(requestLine, body, headers);
  return endCall(call);
}

ApiAnswer WithApi::callWith(const std::string& headers, const std::string& requestLine,
                            const std::string& body) const {
  TcpPeer call(deadline, apiPort);
  call.send(apiRequest(requestLine, headers, body));
  return endCall(call);
}

ApiAnswer WithApi::callSurely(const std::string& requestLine, const std::string& body,
                              const std::string& idempotencyKey) const {
  while (true) {
    deadline.check(requestLine + " to be answered with 200");
    try {
      Answer answer = call(requestLine, body, "Idempotency-Key: " + idempotencyKey + "\r\n");
      if (answer.status == 200) return answer;
    } catch (const std::exception&) {  // the process was killed
    }
    std::this_thread::yield();
  }
}

std::vector<std::unique_ptr<V1Client>> WithApi::clientsOn(const std::vector<pid_t>& workers,
                                                          const std::string& user) {
  // The kernel chooses the worker by the client's port; enough clients reach every worker.
  std::vector<std::unique_ptr<V1Client>> all;
  std::vector<std::uint16_t> localPorts;
  for (std::size_t i = 0; i < 12 * workers.size(); ++i) {
    all.push_back(std::make_unique<V1Client>(deadline, port, tokenOfUser(user)));
    localPorts.push_back(all.back()->localPort());
  }
  const std::vector<pid_t> found = workersOf(stormo, localPorts);
  std::vector<std::unique_ptr<V1Client>> clients;
  for (const pid_t worker : workers) {
    const auto at = std::ranges::find(found, worker);
    if (at == found.end()) throw std::runtime_error("no client came to a worker");
    clients.push_back(std::move(all.at(static_cast<std::size_t>(at - found.begin()))));
  }
  return clients;
}

std::vector<pid_t> WithApi::apiPids() { return pidsWith(stormo.status(), "name", kApiName); }

std::vector<pid_t> WithApi::workerPids() {
  const Json report = stormo.status();
  std::vector<pid_t> pids = pidsWith(report, "kind", "worker");
  const std::vector<pid_t> apis = pidsWith(report, "name", kApiName);
  std::erase_if(pids, [&](pid_t pid) { return std::ranges::find(apis, pid) != apis.end(); });
  return pids;
}

pid_t WithApi::channelPid() {
  std::vector<pid_t> pids;
  stormo.waitForStatus("a Channel", [&](const Json& report) {
    pids = pidsWith(report, "kind", "channel");
    return !pids.empty();
  });
  return pids.front();
}

}  // namespace stormo::integration
