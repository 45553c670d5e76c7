module crisp-sandbox-clients

go 1.22

require github.com/crisp-im/go-crisp-api/crisp/v3 v3.73.1

require (
	github.com/gorilla/websocket v1.5.0 // indirect
	github.com/graarh/golang-socketio v0.0.0-20170510162725-2c44953b9b5f // indirect
)
