"""A connection from JupyterLab's server to the page that sends each message at once.

JupyterLab's server leaves Nagle's algorithm on (RFC 896): after a first small packet it holds back the
next until the page has confirmed the first, and Linux confirms up to 40 ms late. About two moves of an
explorer in five wait for this. ``make lab`` starts JupyterLab with the connection of this file;
``benchmarks/explorers.py`` measures with it and without.
"""

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """JupyterLab's connection, with ``TCP_NODELAY`` set; for ``kernel_websocket_connection_class``."""

    def connect(self):
        """Connect as usual, without waiting for confirmations from then on."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
