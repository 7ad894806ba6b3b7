#include "integration/harness/key_server.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace stormo::integration {
namespace {

// Answers with the bytes of a file, so that a test states the whole answer.
constexpr const char* kProgram = R"(
import http.server, ssl, sys
folder, port, certificate = sys.argv[1], int(sys.argv[2]), sys.argv[3]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(folder + '/requests', 'a') as log:
            log.write('.')
        with open(folder + '/answer', 'rb') as answer:
            self.wfile.write(answer.read())
    def log_message(self, *unused):
        pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler)
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate[:-4] + '.key')
    server.socket = context.wrap_socket(server.socket, server_side=True)
print('port', server.server_port, '.', flush=True)
server.serve_forever()
)";

}  // namespace

KeyServer::KeyServer(const test::Deadline& deadline, std::string folder, std::string certificate)
    : deadline_(deadline), folder_(std::move(folder)), certificate_(std::move(certificate)) {
  answer("", "", 404);
  start();
}

void KeyServer::start() {
  program_ = std::make_unique<test::SpawnedProgram>(
      deadline_, test::Words{"python3", "-u", "-c", kProgram, folder_, port_, certificate_});
  program_->waitForOutput(" .");
  const std::string output = program_->output();
  const std::size_t begin = output.find(' ') + 1;
  port_ = output.substr(begin, output.find(' ', begin) - begin);
}

void KeyServer::answer(const std::string& body, const std::string& head, int status) const {
  const std::string next = folder_ + "/answer.next";
  std::ofstream(next) << "HTTP/1.0 " << status << " -\r\n" << head << "\r\n" << body;
  std::filesystem::rename(next, folder_ + "/answer");
}

std::size_t KeyServer::requests() const {
  std::error_code none;
  const auto size = std::filesystem::file_size(folder_ + "/requests", none);
  return none ? 0 : static_cast<std::size_t>(size);
}

std::string KeyServer::url(const std::string& host) const {
  return (certificate_.empty() ? "http://" : "https://") + host + ':' + port_ + "/keys.json";
}

}  // namespace stormo::integration
