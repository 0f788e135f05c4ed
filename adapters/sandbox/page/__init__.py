"""The browser page that shows the chat, beside a panel that makes things happen."""
