#pragma once

/// `stormo dev-cert`: writes a self-signed certificate for this machine, and its key, so that
/// wss:// can be tried at once. Never replaces a file.
int runDevCert(int argc, char** argv);
