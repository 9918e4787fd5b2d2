// The compiled parts of Asio and Beast, once (both are built in separate compilation mode here).
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
