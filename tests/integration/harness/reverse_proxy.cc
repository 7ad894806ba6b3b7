#include "integration/harness/reverse_proxy.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "sys/address.h"
#include "sys/sockets.h"

namespace stormo::integration {
namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace

std::optional<std::string> installedProxy(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = folder + '/' + name;
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return std::nullopt;
}

ReservedPort::ReservedPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  const Address any = *Address::ip("127.0.0.1", 0);
  if (::bind(fd_.get(), any.raw(), any.size()) < 0) throw std::runtime_error("bind");
  number_ = localAddress(fd_.get()).port();
}

std::unique_ptr<ReverseProxy> ReverseProxy::nginx(const test::Deadline& deadline,
                                                  const std::string& folder,
                                                  const std::string& serverLines) {
  std::unique_ptr<ReverseProxy> proxy(new ReverseProxy(deadline));
  std::string text =
      "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr;\n"
      "events {}\n"
      "http {\n  access_log off;\n";
  for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text += std::string("  ") + kind + "_temp_path " + kind + ";\n";
  }
  text += "  server {\n    listen 127.0.0.1:" + std::to_string(proxy->port_.number()) +
          " reuseport;\n" + serverLines + "  }\n}\n";
  write(folder + "/nginx.conf", text);
  proxy->start(
      {installedProxy("nginx").value(), "-p", folder + "/", "-c", "nginx.conf", "-e", "stderr"});
  return proxy;
}

std::unique_ptr<ReverseProxy> ReverseProxy::haproxy(const test::Deadline& deadline,
                                                    const std::string& folder,
                                                    std::string configuration) {
  std::unique_ptr<ReverseProxy> proxy(new ReverseProxy(deadline));
  const std::string bind = "bind :80";
  configuration.replace(configuration.find(bind), bind.size(),
                        "bind 127.0.0.1:" + std::to_string(proxy->port_.number()));
  write(folder + "/haproxy.cfg", configuration);
  proxy->start({installedProxy("haproxy").value(), "-db", "-f", folder + "/haproxy.cfg"});
  return proxy;
}

ReverseProxy::~ReverseProxy() {
  // Not at once with SIGKILL: the program's own workers would remain.
  program_->signal(SIGTERM);
  try {
    program_->waitForEnd();
  } catch (const std::exception&) {  // then it is killed
  }
}

void ReverseProxy::start(test::Words words) {
  program_ = std::make_unique<test::SpawnedProgram>(deadline_, std::move(words));
  const bool listens = test::eventually(deadline_, [&] {
    return program_->statusIfEnded().has_value() || tryToConnect("127.0.0.1").valid();
  });
  if (!listens || program_->statusIfEnded()) {
    throw std::runtime_error("the proxy does not listen: " + program_->errors());
  }
}

UniqueFd ReverseProxy::tryToConnect(const std::string& clientIp) const {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address from = *Address::ip(clientIp, 0);
  const Address to = *Address::ip("127.0.0.1", port_.number());
  if (::bind(fd.get(), from.raw(), from.size()) < 0) throw std::runtime_error("bind");
  if (::connect(fd.get(), to.raw(), to.size()) < 0) return {};
  return fd;
}

test::RawPeer ReverseProxy::connectFrom(const std::string& clientIp) {
  UniqueFd fd = tryToConnect(clientIp);
  if (!fd.valid()) throw std::runtime_error("the proxy refuses its client");
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  return test::RawPeer(std::move(fd));
}

}  // namespace stormo::integration
