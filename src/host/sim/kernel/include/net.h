/* The network: packets, sockets, TCP. Its only device is the loopback. */
#pragma once
#include "tcp.h"
